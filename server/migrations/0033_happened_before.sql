-- Which types of events each contact had before a moment, which moves on once a day. So "ever" and "never" read this and the
-- events since, not every month. Written by features/criteria/before.ts alone.
-- Adds two tables: locks nothing, takes no time. The previous release runs on it and does not know of it: whoever goes back to it for a
-- while, and has events removed by their age there, empties both tables before coming forward again; they fill by themselves.

-- Opens and clicks without those by machines, as criteria count them.
create table happened_before (
  account_id bigint not null,
  contact_id uuid not null,
  email_sent boolean not null,
  email_delivered boolean not null,
  email_opened boolean not null,
  email_clicked boolean not null,
  email_bounced boolean not null,
  email_complained boolean not null,
  custom boolean not null,
  primary key (account_id, contact_id)
);

-- The id of an event before which all of the account's are in `happened_before`, and none from it on. Without a row nothing is.
create table happened_until (
  account_id bigint primary key,
  until uuid not null
);

-- How often each sign-up form was filled, and how many of these were confirmed. Numbers alone, which name nobody: they outlive the
-- people, and what their mails and links were.
--
-- A new table only: locks nothing, takes no time whatever the number of contacts, and the previous release does not know it. What
-- happened before is not counted.
create table form_counts (
  account_id bigint not null,
  form_id bigint not null,
  quarter timestamptz not null,       -- the beginning of a quarter of an hour: days of every time zone are made of these
  sign_ups int not null default 0,
  confirmed int not null default 0,
  primary key (account_id, form_id, quarter)
);

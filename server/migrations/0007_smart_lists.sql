-- Smart lists that tell who enters and leaves them, and an outbox in which small acts need not wait for large ones.
--
-- Locks: `outbox` and `lists` for a moment each, as their new columns have constant defaults. The index on `events` is built
-- while nobody can record an event: about 0.7 s for a million events. The rest is new.
-- The previous release runs on it: what it writes to the outbox means what it meant (`acts`, one of them, not bulk). Its
-- dispatcher would take the new kinds for acts without events and remove them; what they were for is found missing by the
-- next look, and asked for again. What follows from acts that it dispatches is found by the daily comparison.

-- kind: `acts`, which has events to be placed; `criteria`, whose list (in details) is to be compared with all contacts;
-- `clock`, at which time alone may have moved someone; `comparison`, of all smart lists with all contacts.
-- bulk: so many events that small acts overtake it, where they are about other people. Its events are those of its change
-- set from first_event to last_event.
alter table outbox
  add column kind text not null default 'acts',
  add column size int not null default 1, -- events
  add column bulk boolean not null default false,
  add column change_set_id bigint,
  add column first_event uuid,
  add column last_event uuid,
  add column details jsonb;

-- As in 0002, but: the row in the outbox names its change set, and what has happened lies not in the future, whatever the
-- sender's clock says.
create or replace function record_act(account bigint, contact uuid, kinds text[], called text, moment timestamptz, details jsonb, change_set bigint)
returns void language plpgsql as $$
declare
  event uuid;
begin
  insert into events (account_id, contact_id, type, types, name, at, data, change_set_id)
  values (account, contact, kinds[1], kinds, called, least(moment, clock_timestamp()), details, change_set)
  returning id into event;
  insert into outbox (account_id, event_ids, change_set_id) values (account, array[event], change_set);
end
$$;

-- Serves the look at the clock: events that have just left a window. `account_id + 0` keeps it out of sight of whoever looks
-- for a contact's events: of a month without statistics the planner takes either index, and by this one reads the account.
create index events_at on events ((account_id + 0), at);

-- track: whether its transitions are told. clock: null, or how soon time alone may move someone (`minute`, `hour`).
alter table lists
  add column track boolean not null default true,
  add column clock text;
create index lists_clock on lists (account_id) where clock is not null;

-- The membership last told, for contacts that are in any tracked smart list: only the dispatcher writes it.
create table smart_memberships (
  account_id bigint not null,
  contact_id uuid not null,
  list_ids bigint[] not null, -- in order
  primary key (account_id, contact_id)
);

-- How many are in each smart list by that; of one that is not tracked, when last counted. Written by the dispatcher alone.
create table smart_counts (
  account_id bigint not null,
  list_id bigint not null,
  version int not null,       -- of the criteria that were compared with all contacts
  since bigint not null default 0, -- acts before this row of the outbox tell nothing of the list: it was not there, or another
  contacts bigint not null,
  counted_at timestamptz not null default clock_timestamp(),
  primary key (account_id, list_id)
);

-- Up to when time has been looked at, and when all was last compared, with how many differences: there must be none.
create table smart_looks (
  account_id bigint primary key,
  looked_at timestamptz not null default clock_timestamp(),
  time_zone text not null default 'UTC', -- the account's at that look
  deferred boolean not null default false, -- whether someone's acts are placed but not looked at, as more of them wait
  compared_at timestamptz not null default clock_timestamp(),
  differences bigint not null default 0
);

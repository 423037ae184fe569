-- Erasures: who asked, what went, and what is still being looked for.
-- A new table, and an index over the change rows that name no contact, for an erasure to find the rows of files that were
-- refused. Building it reads change_rows once and keeps writers of it out meanwhile: a third of a second a million rows.
-- The previous release runs on it.

create table erasures (
  account_id bigint not null references accounts (id),
  id uuid not null default new_id(),
  actor text not null,
  counts jsonb not null default '{}', -- rows and files that went, by what they were
  pending bytea,                      -- sealed: whom to look for in files and answers; null once that is done
  created_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  primary key (account_id, id)
);
create index erasures_open on erasures (account_id) where finished_at is null;

create index change_rows_nobody on change_rows (account_id, change_set_id) where contact_id is null;

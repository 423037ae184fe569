-- Erasures: who asked, what went, and what is still being looked for.
-- A new table, and the previous release does not know it.

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

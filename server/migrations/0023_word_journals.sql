-- What people have said by their own acts is kept in the file store as well, so that an older copy of the database that is put
-- back learns of it: here stands which of those files this database knows.
-- Adds a table, which starts empty, and two indexes by which the words of the last minutes are found. Making those keeps out who
-- leaves a list, or removes somebody who has left, while their tables are read once: half a second for a million of each. The
-- previous release runs on it.
create table word_journals (
  account_id bigint not null references accounts (id),
  id uuid not null,           -- in the file's name; none where nobody had said anything
  at timestamptz not null,    -- what was said until then is in this one or those before
  primary key (account_id, id)
);
create index list_opt_outs_at on list_opt_outs (account_id, at);
create index suppressions_withdrawn on suppressions (account_id, at) where reason = 'withdrawn';

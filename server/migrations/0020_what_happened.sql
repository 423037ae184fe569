-- The dispatcher remembers what conditions on events say of a contact, so that it reads events only where some have come.
--
-- Locks `smart_memberships` and `smart_counts` for a moment each, as the new columns have constant defaults, and writes of the
-- dispatcher while the index is built, which holds nobody yet: 0.1 s for a million contacts. What is remembered counts for a list
-- once its criteria, or a daily comparison, have been held against all contacts by this release; until then events are read.
-- The previous release runs on it, but writes nothing of what happened: let none dispatch beside this one for longer than an
-- update takes. What it misses is found by the next daily comparison. `smart_looks.deferred` is not used any more.

-- happened: conditions of which the contact's events say something else than no events would, by a hash of each, in order;
-- not only of lists that are there still. behind: compared while acts of the contact waited, so that all must be looked at
-- with these.
alter table smart_memberships
  add column happened bigint[] not null default '{}',
  add column behind boolean not null default false;
create index smart_memberships_behind on smart_memberships (account_id, contact_id) where behind;

-- Whether what the list's conditions on events say is remembered of all contacts.
alter table smart_counts add column happened boolean not null default false;

-- What has been begun starts again, and whoever was put off is looked at.
update outbox set details = details - 'after' where kind in ('criteria', 'comparison');
insert into outbox (account_id, event_ids, size, kind)
select account_id, '{}', 0, 'comparison' from smart_looks as k
where deferred and not exists (select from outbox as o where o.account_id = k.account_id and o.kind = 'comparison');

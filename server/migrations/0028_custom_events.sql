-- An index by which the people to whom a custom event of some name happened are found, however long ago, among all events of an
-- account.
--
-- Locks: nobody can record an event while it is built: 2 s for ten million events of which 800,000 are custom; its size is 31 MB then.
-- The previous release runs on it: it keeps the index and does not use it.
create index events_custom on events ((account_id + 0), name, at) where type = 'custom';

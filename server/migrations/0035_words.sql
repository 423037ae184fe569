-- What people themselves said of their permission is found without what files and callers assert.
--
-- Keeps writers of `consents` out while it is built: 0.4 s a million. The previous release runs on it.

-- Serves the look, each minute, for what was said since the last (privacy/words.ts): behind an import of a million people it read through all
-- of their consents, 1.4 s each time, until somebody said something.
create index consents_words on consents (account_id, id) where action = 'withdrawn' or grade = 'observed';

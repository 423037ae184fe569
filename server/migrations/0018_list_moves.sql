-- Who entered and left a list, the latest first: by an index over the events that tell of lists alone, so that millions of mails
-- in between are not looked at. Its condition stands in features/stats/stats.ts in the same words.
--
-- Built while nobody can record an event: 0.7 s for a million events that tell of lists. An import into a list writes an entry for each
-- person, 1.4 s a million. The previous release runs on it.
create index events_of_lists on events (account_id, id) where types && '{list_added,list_removed,list_entered,list_left}';

-- People of whom an import's rows say nothing new are kept in a part of change_rows that is indexed by them, not by lines (decision 0080).
--
-- Adds a table: nobody waits for it. What is in `change_rows` stays there. The previous release runs on it: whatever it reads or changes of
-- `change_rows`, it reads and changes of these as well. It has no index by which to find one by its line: a page of such an act takes it a
-- second for a million rows, and an import that it takes over from this release in the middle goes on slowly.

-- Rows of `change_rows`: queries of that table have them too, unless it says `only`. They come in the order of addresses, which is near that of
-- contacts where these were imported, and far from that of lines: an index by lines was a quarter of the time in which a chunk is settled.
create table unchanged_rows (check (action = 'unchanged')) inherits (change_rows);
create unique index unchanged_rows_of_act on unchanged_rows (account_id, change_set_id, contact_id, line);
create index unchanged_rows_contact on unchanged_rows (account_id, contact_id); -- serves a removal

-- Rows that wait are merged in the order of stripes, so that neighbours of one page are changed by different chunks.
-- Locks import_rows for an instant, or for 1 s a million rows that wait. The previous release runs on it: its rows are all
-- in stripe 0, and merged in the order of their keys as before.
alter table import_rows add column stripe int not null default 0;
alter table import_rows drop constraint import_rows_pkey;
alter table import_rows add primary key (account_id, import_id, stripe, key, line);

-- What waits is in the file as well: it needs no log, which is a tenth of what an import writes. After a crash of the server
-- the table is empty, and the import reads again what it misses; the previous release would end without it.
alter table import_rows set unlogged;

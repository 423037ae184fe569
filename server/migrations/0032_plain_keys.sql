-- Rows that wait are merged in the order of their keys again. Since `contacts_values`, nobody whose fields change stays where they are
-- in the table, for which stripes had been made: they took a tenth more of PostgreSQL's CPU than they saved (decision 0074).
-- Locks import_rows for an instant, or for 1 s a million rows that wait. The previous release runs on it, and sorts what waits for each
-- chunk; rows that it has kept are merged by this one.
alter table import_rows drop constraint import_rows_pkey;
alter table import_rows add primary key (account_id, import_id, key, line);

-- Who has no external id is in no index of them. While an account is small, PostgreSQL takes that index for as good as the one of addresses
-- to find an address, as all of an account stands in it under one key, and reads all of it for each: to enter the first 5,000 people
-- of a new database took 4 to 28 s in four of six trials, where it takes 0.6.
-- Locks: nobody reads or writes contacts while it is built: 0.6 s for a million of whom none has an external id. The previous release
-- runs on it; the batch endpoints of that one read all of an account where they name no external id.
alter table contacts drop constraint contacts_external_id;
create unique index contacts_external_id on contacts (account_id, external_id) where external_id is not null;

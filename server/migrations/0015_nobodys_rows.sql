-- Change rows that name no contact are found by their address: of a file that was tried, an erasure looks for one among a
-- million. Refused rows have none, and are found as such.
-- Building it reads change_rows once and keeps writers of it out meanwhile: half a second a million rows that name nobody.
-- The previous release runs on it.

create index change_rows_unnamed on change_rows (account_id, email) where contact_id is null;

-- An index by which values of fields and tags that few contacts have are found among all contacts of an account.
--
-- Locks: nobody writes a contact while it is built: 4 s for a million contacts, whose index is 14 MB.
-- The previous release runs on it: it keeps the index and does not use it.

-- What a contact's fields hold, in lower case, under the number of the account: so whoever looks up a value in a small account
-- reads nothing of large ones. To make a number of each value by ourselves took five times as long: 7 to 11 against 2 µs a contact.
create function contact_values(account bigint, said jsonb) returns jsonb language sql immutable parallel safe as $$
  select ('{"' || account::text || '":' || lower(said::text) || '}')::jsonb
$$;
create index contacts_values on contacts using gin (contact_values(account_id, fields) jsonb_path_ops, tags);

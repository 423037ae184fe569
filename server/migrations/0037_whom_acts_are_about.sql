-- Of acts that wait in the outbox it is written down between which contacts they are (decision 0081).
--
-- Adds two columns without a default and replaces a function: nobody waits for it. The previous release leaves the columns empty where it
-- records acts on many, and acts without them are looked into as before.

alter table outbox
  add column first_contact uuid,  -- of whom its events are about, the least; of an act about nobody the greatest id there is; null: not known
  add column last_contact uuid;   -- the greatest; of an act about nobody the least id there is

-- As in 0007, but: the row in the outbox says whom it is about.
create or replace function record_act(account bigint, contact uuid, kinds text[], called text, moment timestamptz, details jsonb, change_set bigint)
returns void language plpgsql as $$
declare
  event uuid;
begin
  insert into events (account_id, contact_id, type, types, name, at, data, change_set_id)
  values (account, contact, kinds[1], kinds, called, least(moment, clock_timestamp()), details, change_set)
  returning id into event;
  insert into outbox (account_id, event_ids, change_set_id, first_contact, last_contact)
  values (account, array[event], change_set,
    coalesce(contact, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), coalesce(contact, '00000000-0000-0000-0000-000000000000'));
end
$$;

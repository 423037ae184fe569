-- Mails that wait, have failed or were taken back are found among those that went, and counted.
-- Building it reads messages once and keeps writers of it out meanwhile: half a second for a million mails.
-- The previous release runs on it.

create index messages_not_gone on messages (account_id, phase, id) where phase in ('queued', 'failed', 'cancelled');

-- A look at the clock that finds what has left its window, and says whether that changes what conditions on events say, in one function
-- that keeps its plans; and a mark of the smart lists that is made of hashes (decision 0076).
--
-- Adds a function and replaces another: locks nothing, takes no time. The previous release reads its smart lists once more, as
-- their mark is another now, and knows nothing else of it.

-- What is known of an account's clock since its last look, which it moves on to `moment`; nothing at the first look.
--
-- `longest` is the longest of all windows of hours. `windows` are those that are looked through here, with the types (an array in
-- text) of the events that are counted in each. Of each condition on events, all
-- of which must have a window of hours, be remembered in `smart_memberships.happened`, and test no parameters: its id, its hours,
-- which types and names it counts (arrays in text), whether only what people did, and how many it asks for (without a most: any
-- number from the fewest).
-- turned: the conditions that say something else now of one of `contacts`. What is remembered of these is brought up to date. Where so
-- much has left the windows, as at the first look after a day of none, that it should be joined and not looked up, is_judged is false, and
-- nothing is said of the conditions.
-- `forms.ts` says the same in SQL for many; `judged.test.ts` compares them.
create function look_at_clock(
  account bigint, zone text, moment timestamptz, overlap interval, longest int, windows int[], window_types text[],
  condition_ids bigint[], condition_hours int[], condition_types text[], condition_names text[], condition_people boolean[],
  condition_fewest bigint[], condition_most bigint[],
  out looked_at timestamptz, out time_zone text, out new_day boolean, out suppression_ended boolean, out since_id uuid,
  out is_judged boolean, out contacts uuid[], out turned bigint[]
) language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  since timestamptz;
  gone uuid[];
  gone_hours int[];
  gone_types text[];
  counted text[];
  most_judged constant int := 1000;
begin
  select k.looked_at, k.time_zone into looked_at, time_zone from smart_looks as k where k.account_id = account;
  insert into smart_looks as k (account_id, looked_at, time_zone) values (account, moment, zone)
  on conflict (account_id) do update set looked_at = excluded.looked_at, time_zone = excluded.time_zone;
  if looked_at is null then
    return;
  end if;
  since := looked_at - overlap;
  new_day := (since at time zone zone)::date <> (moment at time zone zone)::date;
  suppression_ended := exists (
    select from suppressions as s where s.account_id = account and s.expires_at between since and moment);
  -- No event lies later than it was recorded, which its id tells: a minute to spare, as these are made one after the other. To say as
  -- well that it is older than tomorrow would leave out the months ahead, but then the planner takes the ids, of all accounts, to be few.
  since_id := id_floor(greatest(since - make_interval(hours => longest, mins => 1), 'epoch'));

  select array_agg(left_it.contact_id), array_agg(left_it.hours), array_agg(left_it.types) into gone, gone_hours, gone_types
  from (
    select e.contact_id, w.hours, e.types::text as types
    from (select hours, types::text[] as types from unnest(windows, window_types) as w (hours, types) offset 0) as w cross join lateral (
      select e.contact_id, e.types from events as e
      where (e.account_id + 0) = account and e.contact_id is not null and e.types && w.types and e.id >= since_id
        and e.at between since - make_interval(hours => w.hours) and moment - make_interval(hours => w.hours) offset 0) as e
    limit most_judged + 1
  ) as left_it;
  is_judged := coalesce(cardinality(gone), 0) <= most_judged;
  if gone is null or not is_judged then
    return;
  end if;

  counted := array(select distinct unnest(w::text[]) from unnest(window_types) as w);
  with asked as materialized (
    select distinct left_it.contact_id, c.*, moment - make_interval(hours => c.hours) as edge
    from (
      select contact_id, hours, types::text[] as types from unnest(gone, gone_hours, gone_types) as one (contact_id, hours, types) offset 0
    ) as left_it join (
      select id, hours, types::text[] as types, names::text[] as names, of_people, fewest, most
      from unnest(condition_ids, condition_hours, condition_types, condition_names, condition_people, condition_fewest, condition_most)
        as c (id, hours, types, names, of_people, fewest, most) offset 0
    ) as c on c.hours = left_it.hours and (c.types && left_it.types or (c.names <> '{}' and 'custom' = any(left_it.types)))
  ), person as materialized (
    select one.contact_id, coalesce(told.happened, '{}') as before, coalesce(told.list_ids = '{}' and not told.behind, true) as is_bare
    from (select distinct asked.contact_id from asked) as one left join lateral (
      select m.happened, m.list_ids, m.behind from smart_memberships as m
      where m.account_id = account and m.contact_id = one.contact_id offset 0) as told on true
  ), own as materialized (
    select person.contact_id, e.* from person cross join lateral (
      select e.at, e.type, e.types, e.name, coalesce(e.data -> 'machine' = 'true', false) as by_machine from events as e
      where e.account_id = account and e.contact_id = person.contact_id and e.id >= since_id
        and e.types && counted offset 0) as e
  ), judged as materialized (
    select asked.contact_id, asked.id, (count(own.at) >= asked.fewest and count(own.at) <= coalesce(asked.most, count(own.at)))
      <> (asked.fewest <= 0 and coalesce(asked.most, 0) >= 0) as is_other
    from asked left join own on own.contact_id = asked.contact_id and own.at > asked.edge
      and (own.types && asked.types or (own.type = 'custom' and coalesce(own.name = any(asked.names), false)))
      and not (asked.of_people and own.by_machine)
    group by asked.contact_id, asked.id, asked.fewest, asked.most
  ), turning as materialized (
    select judged.contact_id, person.before, person.is_bare, array_agg(judged.id) as ids,
      coalesce(array_agg(judged.id) filter (where is_other), '{}') as begun,
      coalesce(array_agg(judged.id) filter (where not is_other), '{}') as ended
    from judged join person on person.contact_id = judged.contact_id
    where judged.is_other <> (judged.id = any(person.before))
    group by judged.contact_id, person.before, person.is_bare
  ), differing as materialized (
    select turning.*, array(
      select id from unnest(before) as id where id <> all(ended) union all select unnest(begun) order by 1) as after
    from turning
  ), kept as (
    insert into smart_memberships (account_id, contact_id, list_ids, happened)
    select account, d.contact_id, '{}', d.after from differing as d where not (d.after = '{}' and d.is_bare)
    on conflict (account_id, contact_id) do update set happened = excluded.happened
  ), forgotten as (
    delete from smart_memberships as m
    where m.account_id = account and m.contact_id in (select d.contact_id from differing as d where d.after = '{}' and d.is_bare)
  )
  select array_agg(d.contact_id), array(select distinct id from differing as each_one, unnest(each_one.ids) as id)
  into contacts, turned from differing as d;
end
$$;

-- Stands for all that smart lists are made of: their criteria and how far these have been taken over, fields, time zone. Any
-- change of one of these makes it another; null where there are no smart lists. Each list is a hash of 64 bits, to which each of its columns
-- is the seed of the next: as a record, or as text, a hundred of them take four times as long.
create or replace function smart_lists_mark(account bigint) returns text language plpgsql stable as $$
declare
  lists_are bigint;
begin
  select bit_xor(hashtextextended(l.criteria::text, hashtextextended(l.name, hashint8extended(coalesce(n.since, -1),
    hashint8extended(coalesce(n.version, -1), hashint8extended(l.criteria_version, hashint8extended(l.id,
      l.track::int + case when n.happened then 2 else 0 end)))))))
  into lists_are
  from lists as l left join smart_counts as n on n.account_id = l.account_id and n.list_id = l.id
  where l.account_id = account and l.criteria is not null;
  if lists_are is null then
    return null;
  end if;
  return encode(sha256(convert_to(concat_ws(E'\n', lists_are,
    (select a.settings::text from accounts as a where a.id = account),
    (select string_agg(f::text, E'\n' order by f.id) from fields as f where f.account_id = account)), 'UTF8')), 'base64');
end
$$;

-- no transaction
-- What `q` finds: every sign, as written or as composed letters, and domains of other scripts as people write them.
--
-- Until now texts of signs alone (`##/`) had no trigram and were looked for in a scan (0.3 s for a million contacts), a name
-- given in decomposed letters was not found by composed ones, and müller@bücher.example only as xn--bcher-kva.
-- The letters that stood for signs stay as they are, so only contacts with other signs, decomposed letters or such a domain
-- get a new search column. Rewriting the table instead would shut everyone out for minutes.
--
-- Locks: writers wait once, until those before them have ended; after that nobody waits but for a row that is being
-- rewritten. For a million contacts of which 20,000 get a new column: 2 s; for each 20,000 more, 1 s. Broken off, it runs
-- again from the start. The previous release runs on it: it asks through the same function, before and after.

-- In plpgsql, as each step but the first is for few texts. One function, as a restored backup computes the column with an
-- empty search_path, which finds no others. 2.3 s for a million contacts, 0.9 s before.
create or replace function search_key(said text) returns text language plpgsql immutable parallel safe as $$
declare
  key text collate "default" := said; -- without which it would have that of the address, where only ASCII has letters
  sign text;
  -- Of RFC 3492, which writes letters of any script as xn--…
  label text; letters text; digits text; digit text; code bigint; place bigint; former bigint; weight bigint; bias bigint;
  step bigint; delta bigint; value bigint; threshold bigint;
begin
  -- A contact's text begins with line breaks and its address, no question that is as long does. What an address with an
  -- xn-- domain reads like stands at the end, a label that is no punycode as it is.
  if key like E'\n\n%xn--%' then
    key := key || E'\n\n' || split_part(split_part(said, E'\n\n', 2), '@', 1) || '@';
    foreach label in array string_to_array(split_part(split_part(said, E'\n\n', 2), '@', 2), '.') loop
      if label like 'xn--%' then
        letters := substring(substr(label, 5) from '^(.*)-[^-]*$');
        digits := substring(substr(label, 5) from '[^-]*$');
        letters := coalesce(letters, '');
        code := 128; place := 0; bias := 72;
        while digits <> '' and letters is not null loop
          former := place; weight := 1; step := 36;
          loop
            digit := lower(left(digits, 1));
            value := position(digit in 'abcdefghijklmnopqrstuvwxyz0123456789') - 1;
            if digit = '' or value < 0 or place > 100000000 or weight > 100000000 then letters := null; exit; end if;
            digits := substr(digits, 2);
            place := place + value * weight;
            threshold := greatest(1, least(26, step - bias));
            exit when value < threshold;
            weight := weight * (36 - threshold);
            step := step + 36;
          end loop;
          exit when letters is null;
          delta := (place - former) / case when former = 0 then 700 else 2 end;
          delta := delta + delta / (char_length(letters) + 1);
          bias := 0;
          while delta > 455 loop delta := delta / 35; bias := bias + 36; end loop;
          bias := bias + 36 * delta / (delta + 38);
          code := code + place / (char_length(letters) + 1);
          place := place % (char_length(letters) + 1);
          if code > 1114111 or code between 55296 and 57343 then letters := null; exit; end if;
          letters := overlay(letters placing chr(code::int) from place::int + 1 for 0);
          place := place + 1;
        end loop;
        label := coalesce(nullif(letters, ''), label);
      end if;
      key := key || label || '.';
    end loop;
    key := left(key, -1);
  end if;
  if octet_length(key) <> char_length(key) then key := normalize(key, NFC); end if;
  key := replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(lower(key),
    E'\n', 'X'), '@', 'Q'), '.', 'J'), '+', 'V'), '-', 'W'), '_', 'Y'), ' ', 'Z'), '''', 'K'), '%', 'U'), '\', 'G');
  -- Any other sign becomes its number between two letters of its own, so that no part of it is taken for another.
  loop
    sign := substring(key from '[^[:alnum:]]');
    exit when sign is null;
    key := replace(key, sign, 'S' || upper(to_hex(ascii(sign))) || 'T');
  end loop;
  return key;
end
$$;

-- Whoever writes with the function of before has ended when this gets its turn; whoever comes after writes with the new one.
do $$ begin lock table contacts in share mode; end $$;

-- A generated column is computed anew only where a column that it is made of is set.
update contacts set fields = fields
where search ~ '[^[:alnum:]]' or search like '%xnWW%'
  or (octet_length(search) <> char_length(search) and search is not nfc normalized);

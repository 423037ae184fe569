import sql, { type Sql } from 'sql-template-tag'
import type { Database } from '../server/db/database.ts'
import { progress } from './report.ts'

/** Rows of one statement: enough to make its fixed cost small, few enough to see how far it has come. */
const CHUNK = 100_000

const words = (text: string) => text.split(' ')

export const FIRST_NAMES = words(
  'Maria John Anna James Sofia Michael Emma David Olivia Robert Laura Daniel Julia Thomas José Peter Elena Paul Zoë ' +
    'Nina Hugo Clara Ivan Rosa Omar Leila Karin Bruno Yuki Priya Chen Fatima Igor Marta Sven Ines Tomas Greta Raul ' +
    'Alice Ahmed Beatriz Viktor Helga Diego Astrid Kofi Zanele Quentin Xenia',
)
export const LAST_NAMES = words(
  'Smith Garcia Müller Rossi Martin Johnson Silva Novak Kowalski Ivanov Williams Jones Brown Lopez Fischer Weber ' +
    'Schmidt Bianchi Dubois Jansen Nielsen Hansen Larsen Virtanen Popescu Horvath Kim Nguyen Wang Singh',
)
/** Put together, they make surnames, companies and domains of which there are few each. */
export const SYLLABLES = words(
  'an ber cor dal el fen gar hol in jor kas lun mer nor ost pel rin sel tor ul van wick yar zim',
)
export const DOMAINS = words('gmail.com yahoo.com outlook.com hotmail.com icloud.com web.de orange.fr libero.it')
const FORMS = words('Ltd Inc GmbH Group')

/** Defines the fields that these contacts have, beside first and last name, which every account has from the start. */
export function contactFields(accountId: number): Sql {
  return sql`
    insert into fields (account_id, name, merge_tag, key, type)
    values (${accountId}, 'Company', 'company', 'company', 'text'), (${accountId}, 'Plan', 'plan', 'plan', 'text'),
      (${accountId}, 'Age', 'age', 'age', 'integer')`
}

/**
 * Puts contacts `1…count` into an account, by plain inserts with every index in place. The same numbers make the same
 * people each time. Names, domains and companies are spread as they are among people: few that are common, many rare.
 * @param loaded So many are there from an earlier run.
 */
export async function loadContacts(db: Database, accountId: number, count: number, loaded = 0): Promise<void> {
  for (let done = loaded; done < count; done += CHUNK) {
    await db.query(insertContacts(accountId, done + 1, Math.min(done + CHUNK, count)))
    if (count > CHUNK) progress(`loaded ${Math.min(done + CHUNK, count).toLocaleString('en')} contacts`)
  }
}

/** A number in [0, 1) that depends on the person and on what it decides, and on nothing else. */
const chance = (decides: number) => sql`((hashint8extended(n, ${decides}) & 2147483647) / 2147483648.0)`

/** One of the words; the first ones more often than the last ones when `skewed`. */
function oneOf(from: readonly string[], decides: number, skewed?: 'skewed'): Sql {
  const at = skewed ? sql`power(${chance(decides)}, 2)` : chance(decides)
  return sql`(${from}::text[])[1 + floor(${from.length}::int * ${at})::int]`
}

function insertContacts(accountId: number, first: number, last: number): Sql {
  const syllable = (decides: number) => oneOf(SYLLABLES, decides)
  return sql`
    insert into contacts (account_id, email, state, fields, tags, origin, created_at, updated_at)
    select ${accountId},
      lower(translate(first_name || '.' || last_name, 'éëü', 'eeu')) || n || '@' || domain,
      case when ${chance(1)} < 0.9 then 'subscribed' when ${chance(1)} < 0.98 then 'unsubscribed' else 'bounced' end,
      jsonb_strip_nulls(jsonb_build_object(
        'first_name', first_name, 'last_name', last_name, 'company', company,
        'plan', case when ${chance(2)} < 0.7 then 'free' when ${chance(2)} < 0.9 then 'starter' when ${chance(2)} < 0.98 then 'team' else 'enterprise' end,
        'age', case when ${chance(3)} < 0.8 then 18 + floor(70 * ${chance(4)})::int end)),
      array_remove(array[
        case when ${chance(5)} < 0.5 then 'newsletter' end,
        case when ${chance(6)} < 0.3 then 'customer' end,
        case when ${chance(7)} < 0.01 then 'vip' end], null),
      'import', moment, moment
    from (
      select n, '2023-01-01Z'::timestamptz + n * interval '90 seconds' as moment,
        ${oneOf(FIRST_NAMES, 8, 'skewed')} as first_name,
        case when ${chance(9)} < 0.5 then ${oneOf(LAST_NAMES, 10, 'skewed')}
          else initcap(${syllable(11)} || ${syllable(12)} || ${syllable(13)}) end as last_name,
        case when ${chance(14)} < 0.6 then ${oneOf(DOMAINS, 15, 'skewed')}
          else ${syllable(16)} || ${syllable(17)} || ${syllable(18)} || '.example' end as domain,
        case when ${chance(19)} < 0.6 then initcap(${oneOf(SYLLABLES, 20, 'skewed')} || ${oneOf(SYLLABLES, 21, 'skewed')})
          || ' ' || ${oneOf(FORMS, 22)} end as company
      from generate_series(${first}::bigint, ${last}::bigint) as n
    ) as person
    order by n`
}

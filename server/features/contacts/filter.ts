import { type Calendar, compile } from '../criteria/compile.ts'
import { FOR_FEW, forSet } from '../criteria/forms.ts'
import { lookingUp } from '../criteria/happened.ts'
import { idsFor } from '../criteria/ids.ts'
import type { Condition } from '../criteria/parse.ts'
import { soughtBy } from '../criteria/sought.ts'
import type { Filter } from './page.ts'

/** A condition, its lists expanded, in every form in which pages of contacts are found by it. */
export function filterOf(accountId: number, condition: Condition, calendar: Calendar): Filter {
  const sought = soughtBy(accountId, condition)
  const named = idsFor(accountId, condition, calendar)
  return {
    few: compile(condition, calendar, FOR_FEW),
    set: compile(condition, calendar, forSet(accountId)),
    lookingUp: lookingUp(condition),
    sought: sought && { indexed: sought.indexed, tested: compile(sought.parts, calendar, FOR_FEW) },
    named: named && {
      ids: named.ids,
      tested: compile(named.parts, calendar, FOR_FEW),
      rest: compile(named.rest, calendar, FOR_FEW),
      restLookingUp: lookingUp(named.rest),
      isNarrow: named.isNarrow,
      byEvents: named.byEvents,
    },
  }
}

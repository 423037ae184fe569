import generated from './table.generated.json' with { type: 'json' }

/** How conditions are made, as the server has it: a test holds the file to it. */
export type Operator = keyof typeof generated.operators
export type Kind = keyof typeof generated.operatorsOf
/** What an operator takes: nothing, one value, two bounds, a set of values, or a number of days. */
export type Arity = 'none' | 'one' | 'two' | 'many' | 'days'

/** Something that conditions can be about. */
export interface Subject {
  name: string
  label: string
  kind: Kind
  /** The values there are, where they are known. */
  words?: readonly string[]
}

export const OPERATORS = generated.operators as Readonly<Record<Operator, Arity>>
export const OPERATORS_OF = generated.operatorsOf as Readonly<Record<Kind, readonly Operator[]>>
export const EVENT_TYPES: readonly string[] = generated.eventTypes
export const KIND_OF_FIELD = generated.kindOfField as Readonly<Record<string, Kind>>
/** What every contact has besides its fields. */
export const ATTRIBUTES = generated.attributes as Readonly<Record<string, { kind: Kind; words?: readonly string[] }>>

/** What a template is made of, in the order in which it is shown. */
export const PARTS = ['subject', 'html', 'text'] as const

/** The texts of a template. */
export type Source = Record<(typeof PARTS)[number], string>

/** The parts in which two differ. */
export const differing = (one: Source, other: Source) => PARTS.filter((part) => one[part] !== other[part])

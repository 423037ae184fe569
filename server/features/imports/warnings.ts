/** Something that looks wrong in a column and was taken all the same. */
export interface Warning {
  kind: 'digits_lost' | 'leading_zeros_dropped' | 'misspelt_domain'
  column: string
  count: number
  /** The first line of which it holds. */
  line: number
  /** What may have been meant, as `gmial.com → gmail.com`. */
  suggestion?: string
}

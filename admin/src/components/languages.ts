const names = new Intl.DisplayNames('en', { type: 'language' })

/** Languages to choose from, by their codes, called by their names. */
export const languageOptions = (codes: readonly string[]) =>
  codes.map((value) => ({ value, label: names.of(value) ?? value }))

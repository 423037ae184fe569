/** A mapping's name without the moment at which it was kept, which is there to tell two of one file apart. */
export const shortName = (name: string) => name.replace(/ \d{4}-\d\d-\d\dT[\d:.]+Z$/, '')

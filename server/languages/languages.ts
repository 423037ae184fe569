import type { LanguageFile, Texts } from './file.ts'
import { LANGUAGES } from './names.ts'

/** All that is said to people, by the language it is said in. */
export const SPOKEN: Readonly<Record<string, LanguageFile>> = Object.fromEntries(
  await Promise.all(
    LANGUAGES.map(async (language) => {
      const { default: file } = (await import(`./${language}.ts`)) as { default: LanguageFile }
      return [language, file] as const
    }),
  ),
)

/** What pages say in a language; in English where its file is no longer there. */
export function textsIn(language: string): Texts {
  return (SPOKEN[language] ?? SPOKEN.en!).pages
}

/** The language that a reader likes best of those there are, by their `Accept-Language`; else the account's. */
export function languageFor(header: string | undefined, otherwise: string): string {
  if (!header) return otherwise
  const liked = header
    .slice(0, 500)
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
      const weight = /^\s*q=([01](?:\.\d{1,3})?)\s*$/.exec(parameters[0] ?? '')?.[1] ?? '1'
      return { language: tag.split('-')[0], weight: Number(weight) }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  return liked.map(({ language }) => LANGUAGES.find((known) => known === language)).find((known) => known) ?? otherwise
}

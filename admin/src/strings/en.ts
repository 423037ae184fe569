import { common } from './en/common.ts'
import { session } from './en/session.ts'
import { shell } from './en/shell.ts'

/**
 * Every text of the pages, in one place and by page: texts as they are, or functions of what they depend on. A page adds a
 * file beside these and its name here.
 */
export const en = { common, session, shell }

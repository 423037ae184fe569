import type { ContactName, Contacts } from './contacts.ts'
import { InvalidError, NotFoundError } from './errors.ts'
import type { Import, ImportContact, ImportedContact, Imports, WaitOptions } from './imports.ts'
import type { List, Lists } from './lists.ts'
import type { Answer, Body, CallOptions, Transport } from './transport.ts'
import type { ImportFile, ImportOptions } from './upload.ts'

/** The calls that most programs begin with. */
export interface Helpers {
  createContact: Contacts['create']
  /** A list whose members are always those who meet its criteria. */
  createSmartList: (
    list: Body<'createList'> & { criteria: unknown },
    options?: CallOptions,
  ) => Promise<Answer<'createList'>>
  /**
   * Puts someone into a list, named by its id or by its name in any letter case; a name that no list has makes one, unless
   * `create` is false. Whom there is not is a NotFoundError. Who has left the list by their own act stays out of it.
   */
  addToList: (
    contact: ContactName,
    list: number | string,
    options?: CallOptions & { create?: boolean },
  ) => Promise<Answer<'addMembers'>>
  /** Mails a template to someone; who may not be mailed is an InvalidError that says why. */
  sendTemplate: (
    template: string,
    email: string,
    options?: CallOptions & { variables?: Record<string, unknown> },
  ) => Promise<Answer<'sendTemplate'>>
  /**
   * Begins an import of contacts, or of a file, and answers its id. Contacts update who is there already, a file does so
   * with `update_existing`. More than 50,000 contacts, an iterable of them, and contacts with options go as a file.
   */
  importContacts: (
    source: ImportContact[] | AsyncIterable<ImportContact> | ImportFile,
    options?: ImportOptions,
    call?: CallOptions,
  ) => Promise<number>
  /** Waits for an import, by its id: see `imports.wait`. */
  waitForImport: (id: number, options?: WaitOptions) => Promise<Import>
  /** Address, id and action of each person in an import: what another system needs to know its people here. */
  importedContacts: (id: number, options?: CallOptions) => AsyncGenerator<ImportedContact>
}

/** As many as the service takes as JSON. */
const MOST_AS_JSON = 50_000

interface Groups {
  contacts: Contacts
  lists: Lists
  imports: Imports
}

export function helpersOf(transport: Transport, { contacts, lists, imports }: Groups): Helpers {
  return {
    createContact: contacts.create,
    createSmartList: (list, options) => lists.create(list, options),
    addToList: async (contact, list, { create = true, ...options } = {}) => {
      const id = typeof list === 'number' ? list : await listNamed(lists, list, create, options)
      const added = await lists.addContacts(id, [contact], options)
      if (added.not_found > 0) throw missing(`There is no contact ${contact}`)
      return added
    },
    sendTemplate: (template, email, { variables, ...options } = {}) =>
      transport.call(
        'sendTemplate',
        { path: { name: template }, body: { email, ...(variables === undefined ? {} : { variables }) } },
        options,
      ),
    importContacts: async (source, options, call) => {
      const begun =
        Array.isArray(source) && options === undefined && source.length <= MOST_AS_JSON
          ? await imports.create(source, call)
          : await uploadOf(imports, source, options ?? {}, call)
      return begun.id
    },
    waitForImport: imports.wait,
    importedContacts: imports.contacts,
  }
}

async function listNamed(lists: Lists, name: string, create: boolean, options: CallOptions): Promise<number> {
  const found = await idOfName(lists, name, options)
  if (found !== undefined) return found
  if (!create) throw missing(`There is no list ${name}`)
  try {
    return (await lists.create({ name }, options)).id
  } catch (error) {
    // Someone else may have made it meanwhile.
    const theirs = error instanceof InvalidError ? await idOfName(lists, name, options) : undefined
    if (theirs === undefined) throw error
    return theirs
  }
}

async function idOfName(lists: Lists, name: string, options: CallOptions): Promise<number | undefined> {
  const wanted = name.trim().toLowerCase()
  const found: List[] = await lists.list({ search: name.trim() }, options)
  return found.find((list) => list.name.toLowerCase() === wanted)?.id
}

function missing(error: string): NotFoundError {
  return new NotFoundError({ status: 404, body: { error }, requestId: undefined, retryAfterMs: undefined })
}

/** How contacts are sent as a file: they mean the same as contacts sent as JSON. */
const AS_CONTACTS: ImportOptions = { format: 'ndjson', update_existing: true, file_name: 'contacts.ndjson' }

async function uploadOf(
  imports: Imports,
  source: ImportContact[] | AsyncIterable<ImportContact> | ImportFile,
  options: ImportOptions,
  call?: CallOptions,
): Promise<Import> {
  const asContacts = { ...AS_CONTACTS, ...options }
  if (Array.isArray(source)) return imports.upload(new Blob(source.map(lineOf)), asContacts, call)
  if (isWhole(source)) return imports.upload(source, options, call)
  const items = source[Symbol.asyncIterator]()
  const first = await items.next()
  if (first.done || typeof first.value === 'string' || first.value instanceof Uint8Array)
    return imports.upload(
      following(first, items as AsyncIterator<Uint8Array | string>, (chunk) => chunk),
      options,
      call,
    )
  return imports.upload(following(first, items as AsyncIterator<ImportContact>, lineOf), asContacts, call)
}

function isWhole(source: AsyncIterable<unknown> | ImportFile): source is Exclude<ImportFile, AsyncIterable<unknown>> {
  return (
    typeof source === 'string' ||
    source instanceof Blob ||
    source instanceof Uint8Array ||
    source instanceof ReadableStream
  )
}

/** What was looked at first, and all behind it. */
async function* following<Item, Chunk>(
  first: IteratorResult<unknown>,
  items: AsyncIterator<Item>,
  chunkOf: (item: Item) => Chunk,
): AsyncGenerator<Chunk> {
  try {
    for (let item = first as IteratorResult<Item>; !item.done; item = await items.next()) yield chunkOf(item.value)
  } finally {
    await items.return?.()
  }
}

function lineOf(contact: ImportContact): string {
  return `${JSON.stringify(contact)}\n`
}

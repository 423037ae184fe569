import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Recent } from '../../db/recent.ts'
import type { Attempts } from '../../http/attempts.ts'
import { senderOf } from '../../http/sender.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { linkBase } from '../mail/mail-room.ts'
import {
  type Asked,
  askedBy,
  consentOf,
  EMAIL,
  type Filled,
  formBody,
  HONEYPOT,
  inputName,
  onceMore,
  TIME,
  thanks,
  titleOf,
} from './form-page.ts'
import { type FormRow, publicIdOf } from './forms.ts'
import { html, paragraphs } from './html.ts'
import { pageText } from './page.ts'
import { answer, observed, type PageParts, postedFields, refuse, type Scene, sceneOf, show } from './scene.ts'
import { keepSignUp, readPosted } from './take.ts'
import { secondTimeToken, timeToken, wasShown } from './time-trap.ts'

export interface FormParts extends PageParts {
  /** By what stands in their addresses; at most 5 s old. */
  forms: Recent<string, FormRow | undefined>
  fieldsOf: (accountId: number) => Promise<FieldSet>
  /** Bounds how often a network, and an address, may be signed up. */
  signUps: Attempts
}

interface Opened {
  form: FormRow
  fields: FieldSet
  asked: Asked[]
  /** Its page as long as nobody has filled it, around when it was shown: all else is the same for all who see it. */
  blanks: WeakMap<Scene, [before: string, after: string]>
}

/** Stands where the moment of showing comes in; nobody's text holds it. */
const MOMENT = crypto.randomUUID()

function writeBlank({ form, asked }: Opened, { account, language, texts }: Scene): [before: string, after: string] {
  const body = formBody(form, asked, { texts, accountName: account.name, time: MOMENT })
  const [before, after] = pageText({ account, language, title: titleOf(form, texts, account.name), body }).split(MOMENT)
  return [before!, after!]
}

/** The hosted page of a form. */
export function formRoutes(app: FastifyInstance, parts: FormParts): void {
  const { db, room, forms, fieldsOf, signUps } = parts
  const options = {
    config: { public: true as const },
    schema: { hide: true, params: Type.Object({ form: Type.String() }) },
  }

  /** As they were last opened: each is read anew, as another, every few seconds. */
  const opened = new WeakMap<FormRow, Opened>()
  /** A form that can be filled, with all that its page needs. */
  const open = async (publicId: string): Promise<Opened | undefined> => {
    const form = await forms.get(publicId)
    if (!form?.active) return undefined
    const fields = await fieldsOf(form.account_id)
    const before = opened.get(form)
    if (before?.fields === fields) return before
    const now: Opened = { form, fields, asked: askedBy(form, fields), blanks: new WeakMap() }
    opened.set(form, now)
    return now
  }
  const termsOf = (form: FormRow) => ({
    frameOrigins: form.frame_origins,
    leadsTo: form.redirect_url === null ? undefined : new URL(form.redirect_url).origin,
  })

  app.get<{ Params: { form: string } }>('/f/:form', options, async (request, reply) => {
    const found = await open(request.params.form)
    if (!found) return refuse(request, reply)
    const { form, blanks } = found
    const scene = await sceneOf(parts, request, form.account_id)
    const [before, after] = blanks.get(scene) ?? writeBlank(found, scene)
    blanks.set(scene, [before, after])
    const time = timeToken(room.keyring, publicIdOf(form), new Date())
    return answer(reply, 200, { ...scene, ...termsOf(form) }, before + time + after)
  })

  app.post<{ Params: { form: string } }>('/f/:form', options, async (request, reply) => {
    const found = await open(request.params.form)
    if (!found) return refuse(request, reply)
    signUps.take(senderOf(request))
    const { form, asked } = found
    const scene = await sceneOf(parts, request, form.account_id)
    const { texts, account, language } = scene
    const page = { title: titleOf(form, texts, account.name), ...termsOf(form) }
    const publicId = publicIdOf(form)
    const values = postedFields(request)
    const done = () => {
      if (form.redirect_url !== null) return reply.code(303).header('location', form.redirect_url).send('')
      return show(reply, scene, { ...page, title: texts.signedUpTitle, body: thanks(form, texts) })
    }
    if (values.get(HONEYPOT)) return done()
    const posted = readPosted(values, asked, texts)
    if ('problems' in posted) {
      const time = timeToken(room.keyring, publicId, new Date())
      const filled: Filled = { values, problems: posted.problems }
      const body = formBody(form, asked, { texts, accountName: account.name, time, filled })
      return show(reply, scene, { ...page, body }, 422)
    }
    const consent = consentOf(form, texts, account.name)
    if (!wasShown(room.keyring, publicId, values.get(TIME) ?? '', new Date())) {
      const names = [EMAIL, ...asked.map(({ field }) => inputName(field))]
      const time = secondTimeToken(room.keyring, publicId, new Date())
      const button = form.texts.button ?? texts.signUpButton
      const words = texts.onceMore(values.get(EMAIL) ?? '')
      const body = [html`${paragraphs(consent)}`, onceMore(values, names, time, words, button)]
      return show(reply, scene, { ...page, body })
    }
    signUps.take(`${form.account_id} ${posted.email}`)
    linkBase(room) // else the mail that asks them could not be sent
    const evidence = observed(request, 'form', {
      form_id: form.id,
      form_version: form.version,
      wording: consent,
      language,
      submitted_at: new Date().toISOString(),
    })
    await db.transaction((trx) => keepSignUp(trx, room, form, { ...posted, evidence }))
    return done()
  })
}

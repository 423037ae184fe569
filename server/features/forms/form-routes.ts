import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Recent } from '../../db/recent.ts'
import type { Attempts } from '../../http/attempts.ts'
import { senderOf } from '../../http/sender.ts'
import type { FieldSet } from '../fields/field-set.ts'
import { linkBase } from '../mail/mail-room.ts'
import {
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
import { observed, type PageParts, postedFields, refuse, sceneOf, show } from './scene.ts'
import { keepSignUp, readPosted } from './take.ts'
import { secondTimeToken, timeToken, wasShown } from './time-trap.ts'

export interface FormParts extends PageParts {
  /** By what stands in their addresses; at most 5 s old. */
  forms: Recent<string, FormRow | undefined>
  fieldsOf: (accountId: number) => Promise<FieldSet>
  /** Bounds how often a network, and an address, may be signed up. */
  signUps: Attempts
}

/** The hosted page of a form. */
export function formRoutes(app: FastifyInstance, parts: FormParts): void {
  const { db, room, forms, fieldsOf, signUps } = parts
  const options = {
    config: { public: true as const },
    schema: { hide: true, params: Type.Object({ form: Type.String() }) },
  }

  /** A form that can be filled, with all that its page needs. */
  const open = async (publicId: string) => {
    const form = await forms.get(publicId)
    if (!form?.active) return undefined
    return { form, asked: askedBy(form, await fieldsOf(form.account_id)) }
  }
  const termsOf = (form: FormRow) => ({
    frameOrigins: form.frame_origins,
    leadsTo: form.redirect_url === null ? undefined : new URL(form.redirect_url).origin,
  })

  app.get<{ Params: { form: string } }>('/f/:form', options, async (request, reply) => {
    const found = await open(request.params.form)
    if (!found) return refuse(request, reply)
    const { form, asked } = found
    const scene = await sceneOf(parts, request, form.account_id)
    const time = timeToken(room.keyring, publicIdOf(form), new Date())
    const body = formBody(form, asked, { texts: scene.texts, accountName: scene.account.name, time })
    const title = titleOf(form, scene.texts, scene.account.name)
    return show(reply, scene, { title, body, ...termsOf(form) })
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

import type { Language } from '../accounts/settings.ts'
import type { Source } from './render.ts'

export const CONFIRM_SUBSCRIPTION = 'confirm_subscription'
/** Asks whether it was they who asked for their data, or to be erased. */
export const CONFIRM_REQUEST = 'confirm_request'
export const WELCOME = 'welcome_email'

/** Days that a link to all that is held of somebody, or to its end, works. */
export const REQUEST_DAYS = 1

const page = (lang: Language, body: string) => `<!doctype html>
<html lang="${lang}"><head><meta charset="utf-8"><title>{{ account.name }}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; color: #1f2937; max-width: 36em; margin: 2em auto; padding: 0 1em">
${body}
</body></html>
`
const button = (words: string) =>
  `<p><a href="{{ confirm_url }}" style="display: inline-block; padding: 0.7em 1.2em; color: #ffffff; background: {{ account.color }}; text-decoration: none">${words}</a></p>
<p style="font-size: 0.9em">{{ confirm_url }}</p>`

const small = (words: string) => `<p style="font-size: 0.9em">${words}</p>`

/** Templates that come with the service, in the languages that it speaks. An account's own of the same name counts before. */
export const BUILT_IN: Readonly<Record<string, Record<Language, Source>>> = {
  [CONFIRM_SUBSCRIPTION]: {
    en: {
      subject: 'Please confirm: news from {{ account.name }}',
      html: page(
        'en',
        `<p>Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>{{ account.name }} would like to write to you at {{ contact.email }}. Please confirm that this is what you want:</p>
${button('Yes, write to me')}
<p>The link works for {{ days }} days. If you did not ask for this, do nothing: you will get no further mail.</p>`,
      ),
      text: `Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},

{{ account.name }} would like to write to you at {{ contact.email }}. Please confirm that this is what you want:

{{ confirm_url }}

The link works for {{ days }} days. If you did not ask for this, do nothing: you will get no further mail.
`,
    },
    de: {
      subject: 'Bitte bestätigen: Nachrichten von {{ account.name }}',
      html: page(
        'de',
        `<p>Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>{{ account.name }} möchte Ihnen an {{ contact.email }} schreiben. Bitte bestätigen Sie, dass Sie das wünschen:</p>
${button('Ja, schreiben Sie mir')}
<p>Der Link gilt {{ days }} Tage. Wenn Sie nicht darum gebeten haben, müssen Sie nichts tun: Sie erhalten keine weitere Nachricht.</p>`,
      ),
      text: `Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},

{{ account.name }} möchte Ihnen an {{ contact.email }} schreiben. Bitte bestätigen Sie, dass Sie das wünschen:

{{ confirm_url }}

Der Link gilt {{ days }} Tage. Wenn Sie nicht darum gebeten haben, müssen Sie nichts tun: Sie erhalten keine weitere Nachricht.
`,
    },
  },
  [WELCOME]: {
    en: {
      subject: 'Welcome to {{ account.name }}',
      html: page(
        'en',
        `<p>Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>Thank you for signing up. From now on you will get mail from {{ account.name }} at {{ contact.email }}.</p>
${small('<a href="{{ preferences_url }}">Your preferences</a> · <a href="{{ unsubscribe_url }}">Unsubscribe</a>')}`,
      ),
      text: `Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},

Thank you for signing up. From now on you will get mail from {{ account.name }} at {{ contact.email }}.

Your preferences: {{ preferences_url }}
Unsubscribe: {{ unsubscribe_url }}
`,
    },
    de: {
      subject: 'Willkommen bei {{ account.name }}',
      html: page(
        'de',
        `<p>Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>vielen Dank für Ihre Anmeldung. Ab jetzt erhalten Sie Nachrichten von {{ account.name }} an {{ contact.email }}.</p>
${small('<a href="{{ preferences_url }}">Ihre Einstellungen</a> · <a href="{{ unsubscribe_url }}">Abmelden</a>')}`,
      ),
      text: `Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},

vielen Dank für Ihre Anmeldung. Ab jetzt erhalten Sie Nachrichten von {{ account.name }} an {{ contact.email }}.

Ihre Einstellungen: {{ preferences_url }}
Abmelden: {{ unsubscribe_url }}
`,
    },
  },
  [CONFIRM_REQUEST]: {
    en: {
      subject: '{% if request == "erase" %}Please confirm: delete everything about me{% else %}Your data{% endif %}',
      html: page(
        'en',
        `<p>Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>{% if request == "erase" %}you have asked {{ account.name }} to delete everything that is held about you. It can not be undone.{% else %}you have asked {{ account.name }} for all that is held about you.{% endif %} Please go on here:</p>
${button('Go on')}
<p>The link works for {{ days }} day{% if days != 1 %}s{% endif %}. If you did not ask for this, do nothing.</p>`,
      ),
      text: `Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},

{% if request == "erase" %}you have asked {{ account.name }} to delete everything that is held about you. It can not be undone.{% else %}you have asked {{ account.name }} for all that is held about you.{% endif %} Please go on here:

{{ confirm_url }}

The link works for {{ days }} day{% if days != 1 %}s{% endif %}. If you did not ask for this, do nothing.
`,
    },
    de: {
      subject: '{% if request == "erase" %}Bitte bestätigen: alles über mich löschen{% else %}Ihre Daten{% endif %}',
      html: page(
        'de',
        `<p>Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>{% if request == "erase" %}Sie haben {{ account.name }} gebeten, alles zu löschen, was über Sie gespeichert ist. Das lässt sich nicht rückgängig machen.{% else %}Sie haben {{ account.name }} um alles gebeten, was über Sie gespeichert ist.{% endif %} Hier geht es weiter:</p>
${button('Weiter')}
<p>Der Link gilt {{ days }} Tag{% if days != 1 %}e{% endif %}. Wenn Sie nicht darum gebeten haben, müssen Sie nichts tun.</p>`,
      ),
      text: `Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},

{% if request == "erase" %}Sie haben {{ account.name }} gebeten, alles zu löschen, was über Sie gespeichert ist. Das lässt sich nicht rückgängig machen.{% else %}Sie haben {{ account.name }} um alles gebeten, was über Sie gespeichert ist.{% endif %} Hier geht es weiter:

{{ confirm_url }}

Der Link gilt {{ days }} Tag{% if days != 1 %}e{% endif %}. Wenn Sie nicht darum gebeten haben, müssen Sie nichts tun.
`,
    },
  },
}

import { button, type LanguageFile, small } from './file.ts'

export default {
  pages: {
    confirmTitle: 'Bestätigen',
    confirmAsk: (account) => `Möchten Sie Nachrichten von ${account} erhalten?`,
    confirmListsAsk: (account, lists) =>
      `Möchten Sie von ${account} Nachrichten zu ${lists.map((list) => `„${list}“`).join(', ')} erhalten?`,
    confirmButton: 'Ja, schreiben Sie mir',
    confirmedTitle: 'Bestätigt',
    confirmed: (account) => `Vielen Dank. Sie erhalten Nachrichten von ${account} und können sich jederzeit abmelden.`,
    unsubscribeTitle: 'Abmelden',
    unsubscribeAsk: (account) => `Möchten Sie keine Nachrichten von ${account} mehr erhalten?`,
    unsubscribeListAsk: (account, list) => `Möchten Sie von ${account} keine Nachrichten zu „${list}“ mehr erhalten?`,
    unsubscribeButton: 'Abmelden',
    unsubscribeAllButton: 'Von allem abmelden',
    unsubscribedTitle: 'Abgemeldet',
    unsubscribed: (account) => `Sie sind von allen Nachrichten von ${account} abgemeldet.`,
    unsubscribedList: (account, list) => `Sie sind von „${list}“ von ${account} abgemeldet.`,
    signUpTitle: (account) => `Nachrichten von ${account}`,
    signUpConsent: (account) =>
      `Mit der Anmeldung stimmen Sie zu, Nachrichten von ${account} zu erhalten. Sie können sich jederzeit abmelden, über einen Link in jeder Nachricht.`,
    signUpButton: 'Anmelden',
    onceMore: (email) =>
      `Bitte drücken Sie noch einmal, um ${email} anzumelden: So wissen wir, dass Sie kein Roboter sind.`,
    signedUpTitle: 'Vielen Dank',
    signedUp:
      'Ihre Anmeldung ist da. Wenn wir sicher sein müssen, dass die Adresse Ihre ist, finden Sie eine Nachricht von uns in Ihrem Posteingang: Bitte bestätigen Sie darin.',
    email: 'E-Mail-Adresse',
    optional: 'freiwillig',
    choose: 'Bitte wählen',
    leaveEmpty: 'Bitte leer lassen',
    mend: 'Etwas fehlt oder stimmt nicht. Bitte sehen Sie nach, was markiert ist.',
    badEmail: 'Bitte schreiben Sie eine Adresse wie name@example.com.',
    badValue: 'So können wir das nicht übernehmen.',
    missing: 'Bitte füllen Sie das aus.',
    preferencesTitle: 'Ihre Einstellungen',
    preferencesOf: (email) => `Für ${email}`,
    saved: 'Gespeichert.',
    mailed: 'Sie finden eine Nachricht von uns in Ihrem Posteingang. Bitte folgen Sie dem Link darin.',
    noMail: 'An diese Adresse kann gerade nichts geschickt werden. Bitte versuchen Sie es später wieder.',
    getsMail: (account) => `Sie erhalten Nachrichten von ${account}.`,
    getsNoMail: (account) => `Sie erhalten keine Nachrichten von ${account}.`,
    resubscribeButton: 'Wieder Nachrichten erhalten',
    listsLegend: 'Worüber Sie etwas hören möchten',
    fieldsLegend: 'Über Sie',
    saveButton: 'Speichern',
    allTitle: 'Keine Nachrichten mehr',
    dataTitle: 'Ihre Daten',
    dataWords: 'Damit wir sicher sind, dass Sie es sind, schicken wir Ihnen zuerst eine Nachricht mit einem Link.',
    exportButton: 'Meine Daten herunterladen',
    eraseButton: 'Mich löschen',
    downloadTitle: 'Ihre Daten',
    downloadAsk: (account) => `Hier ist alles, was ${account} über Sie gespeichert hat, in einer Datei.`,
    downloadButton: 'Herunterladen',
    eraseTitle: 'Mich löschen',
    eraseAsk: (account) =>
      `Alles, was ${account} über Sie gespeichert hat, wird gelöscht. Das lässt sich nicht rückgängig machen. Dass Sie keine Nachrichten wünschen, bleibt in einer Form vermerkt, aus der Ihre Adresse nicht zu lesen ist.`,
    eraseNow: 'Alles über mich löschen',
    erasedTitle: 'Gelöscht',
    erased: (account) => `${account} hat nichts mehr über Sie gespeichert.`,
    wrongTitle: 'Dieser Link gilt nicht',
    wrong:
      'Er ist vielleicht unvollständig, zu alt oder durch einen anderen ersetzt. Bitte folgen Sie dem Link in der neuesten Nachricht.',
    busyTitle: 'Einen Moment',
    busy: 'Aus Ihrem Netz kamen zu viele Anfragen. Bitte versuchen Sie es in einer Minute wieder.',
  },
  mails: {
    confirm_subscription: {
      subject: 'Bitte bestätigen: Nachrichten von {{ account.name }}',
      html: `<p>Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>{{ account.name }} möchte Ihnen an {{ contact.email }} schreiben. Bitte bestätigen Sie, dass Sie das wünschen:</p>
${button('Ja, schreiben Sie mir')}
<p>Der Link gilt {{ days }} Tage. Wenn Sie nicht darum gebeten haben, müssen Sie nichts tun: Sie erhalten keine weitere Nachricht.</p>`,
      text: `Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},

{{ account.name }} möchte Ihnen an {{ contact.email }} schreiben. Bitte bestätigen Sie, dass Sie das wünschen:

{{ confirm_url }}

Der Link gilt {{ days }} Tage. Wenn Sie nicht darum gebeten haben, müssen Sie nichts tun: Sie erhalten keine weitere Nachricht.
`,
    },
    confirm_request: {
      subject: '{% if request == "erase" %}Bitte bestätigen: alles über mich löschen{% else %}Ihre Daten{% endif %}',
      html: `<p>Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>{% if request == "erase" %}Sie haben {{ account.name }} gebeten, alles zu löschen, was über Sie gespeichert ist. Das lässt sich nicht rückgängig machen.{% else %}Sie haben {{ account.name }} um alles gebeten, was über Sie gespeichert ist.{% endif %} Hier geht es weiter:</p>
${button('Weiter')}
<p>Der Link gilt {{ days }} Tag{% if days != 1 %}e{% endif %}. Wenn Sie nicht darum gebeten haben, müssen Sie nichts tun.</p>`,
      text: `Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},

{% if request == "erase" %}Sie haben {{ account.name }} gebeten, alles zu löschen, was über Sie gespeichert ist. Das lässt sich nicht rückgängig machen.{% else %}Sie haben {{ account.name }} um alles gebeten, was über Sie gespeichert ist.{% endif %} Hier geht es weiter:

{{ confirm_url }}

Der Link gilt {{ days }} Tag{% if days != 1 %}e{% endif %}. Wenn Sie nicht darum gebeten haben, müssen Sie nichts tun.
`,
    },
    welcome_email: {
      subject: 'Willkommen bei {{ account.name }}',
      html: `<p>Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>vielen Dank für Ihre Anmeldung. Ab jetzt erhalten Sie Nachrichten von {{ account.name }} an {{ contact.email }}.</p>
${small('<a href="{{ preferences_url }}">Ihre Einstellungen</a> · <a href="{{ unsubscribe_url }}">Abmelden</a>')}`,
      text: `Guten Tag{% if contact.first_name %} {{ contact.first_name }}{% endif %},

vielen Dank für Ihre Anmeldung. Ab jetzt erhalten Sie Nachrichten von {{ account.name }} an {{ contact.email }}.

Ihre Einstellungen: {{ preferences_url }}
Abmelden: {{ unsubscribe_url }}
`,
    },
  },
} satisfies LanguageFile

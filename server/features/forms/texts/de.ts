import type { Texts } from './texts.ts'

export const de: Texts = {
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
  wrongTitle: 'Dieser Link gilt nicht',
  wrong:
    'Er ist vielleicht unvollständig, zu alt oder durch einen anderen ersetzt. Bitte folgen Sie dem Link in der neuesten Nachricht.',
  busyTitle: 'Einen Moment',
  busy: 'Aus Ihrem Netz kamen zu viele Anfragen. Bitte versuchen Sie es in einer Minute wieder.',
}

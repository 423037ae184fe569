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
  wrongTitle: 'Dieser Link gilt nicht',
  wrong:
    'Er ist vielleicht unvollständig, zu alt oder durch einen anderen ersetzt. Bitte folgen Sie dem Link in der neuesten Nachricht.',
  busyTitle: 'Einen Moment',
  busy: 'Aus Ihrem Netz kamen zu viele Anfragen. Bitte versuchen Sie es in einer Minute wieder.',
}

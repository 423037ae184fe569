import type { Texts } from './texts.ts'

export const en: Texts = {
  confirmTitle: 'Confirm',
  confirmAsk: (account) => `Do you want to get mail from ${account}?`,
  confirmListsAsk: (account, lists) =>
    `Do you want to get mail from ${account} about ${lists.map((list) => `“${list}”`).join(', ')}?`,
  confirmButton: 'Yes, write to me',
  confirmedTitle: 'Confirmed',
  confirmed: (account) => `Thank you. You will get mail from ${account}, and can leave at any time.`,
  unsubscribeTitle: 'Unsubscribe',
  unsubscribeAsk: (account) => `Do you want to get no more mail from ${account}?`,
  unsubscribeListAsk: (account, list) => `Do you want to get no more mail from ${account} about “${list}”?`,
  unsubscribeButton: 'Unsubscribe',
  unsubscribeAllButton: 'Unsubscribe from everything',
  unsubscribedTitle: 'Unsubscribed',
  unsubscribed: (account) => `You are unsubscribed from all mail of ${account}.`,
  unsubscribedList: (account, list) => `You are unsubscribed from “${list}” of ${account}.`,
  wrongTitle: 'This link does not work',
  wrong:
    'It may be incomplete or too old, or have been replaced by another. Please follow the link in the latest mail.',
  busyTitle: 'One moment',
  busy: 'There were too many requests from your network. Please try again in a minute.',
}

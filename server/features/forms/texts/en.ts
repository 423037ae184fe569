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
  signUpTitle: (account) => `News from ${account}`,
  signUpConsent: (account) =>
    `By signing up you agree to get mail from ${account}. You can leave at any time, by a link in every mail.`,
  signUpButton: 'Sign up',
  onceMore: (email) => `Please press once more to sign up ${email}: that is how we know that you are no robot.`,
  signedUpTitle: 'Thank you',
  signedUp:
    'We have your sign-up. If we need to be sure that the address is yours, you will find a mail from us in your inbox: please confirm in it.',
  email: 'Email address',
  optional: 'optional',
  choose: 'Please choose',
  leaveEmpty: 'Leave this empty',
  mend: 'Something is missing or not right. Please look at what is marked.',
  badEmail: 'Please write an address such as name@example.com.',
  badValue: 'This can not be taken as it stands.',
  missing: 'Please fill this in.',
  wrongTitle: 'This link does not work',
  wrong:
    'It may be incomplete or too old, or have been replaced by another. Please follow the link in the latest mail.',
  busyTitle: 'One moment',
  busy: 'There were too many requests from your network. Please try again in a minute.',
}

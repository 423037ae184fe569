export const session = {
  title: 'Sign in',
  welcome: 'Sign in to Rollcall',
  email: 'Email address',
  password: 'Password',
  submit: 'Sign in',
  wrong: 'The address or the password is not right.',
  tooMany: (waitMs: number | undefined) =>
    `Too many attempts. Try again ${waitMs === undefined ? 'later' : `in ${Math.max(1, Math.ceil(waitMs / 60_000))} min`}.`,
  expired: 'Your session has ended',
  expiredText: 'Sign in again to go on: nothing on this page is lost, and what you were saving is saved then.',
  leave: 'Leave this page',
  signOut: 'Sign out',
  link: {
    setup: {
      title: 'Welcome to Rollcall',
      text: 'Create the first administrator. This link works once.',
      submit: 'Create administrator',
    },
    invitation: {
      title: 'You are invited',
      text: (account: string, role: string) => `To ${account}, as ${role}.`,
      submit: 'Join',
    },
    reset: { title: 'A new password', text: 'It ends all your other sessions.', submit: 'Set password' },
  },
  knownPassword: 'You have a password here already: it is the one that is asked for.',
  name: 'Your name',
  passwordHint: 'At least 10 characters. A few words in a row are good.',
  linkGone: 'This link does not work any more',
  linkGoneText: 'It has been used already, or its time is over. Whoever gave it to you can make another.',
  toSignIn: 'Go to sign in',
  noAccount: 'You are signed in, but belong to no account yet. An administrator can add you.',
}

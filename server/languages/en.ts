import { button, type LanguageFile, small } from './file.ts'

export default {
  pages: {
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
    preferencesTitle: 'Your preferences',
    preferencesOf: (email) => `For ${email}`,
    saved: 'Saved.',
    mailed: 'You will find a mail from us in your inbox. Please follow the link in it.',
    noMail: 'No mail can be sent to this address now. Please try again later.',
    getsMail: (account) => `You get mail from ${account}.`,
    getsNoMail: (account) => `You get no mail from ${account}.`,
    resubscribeButton: 'Get mail again',
    listsLegend: 'What you want to hear about',
    fieldsLegend: 'About you',
    saveButton: 'Save',
    allTitle: 'No more mail',
    dataTitle: 'Your data',
    dataWords: 'To be sure that it is you, we send you a mail with a link first.',
    exportButton: 'Download my data',
    eraseButton: 'Delete me',
    downloadTitle: 'Your data',
    downloadAsk: (account) => `Here is everything that ${account} holds about you, as one file.`,
    downloadButton: 'Download',
    eraseTitle: 'Delete me',
    eraseAsk: (account) =>
      `Everything that ${account} holds about you is deleted. It can not be undone. That you want no mail is kept, in a form from which your address can not be read.`,
    eraseNow: 'Delete everything about me',
    erasedTitle: 'Deleted',
    erased: (account) => `${account} holds nothing about you any more.`,
    wrongTitle: 'This link does not work',
    wrong:
      'It may be incomplete or too old, or have been replaced by another. Please follow the link in the latest mail.',
    busyTitle: 'One moment',
    busy: 'There were too many requests from your network. Please try again in a minute.',
  },
  mails: {
    confirm_subscription: {
      subject: 'Please confirm: news from {{ account.name }}',
      html: `<p>Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>{{ account.name }} would like to write to you at {{ contact.email }}. Please confirm that this is what you want:</p>
${button('Yes, write to me')}
<p>The link works for {{ days }} days. If you did not ask for this, do nothing: you will get no further mail.</p>`,
      text: `Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},

{{ account.name }} would like to write to you at {{ contact.email }}. Please confirm that this is what you want:

{{ confirm_url }}

The link works for {{ days }} days. If you did not ask for this, do nothing: you will get no further mail.
`,
    },
    confirm_request: {
      subject: '{% if request == "erase" %}Please confirm: delete everything about me{% else %}Your data{% endif %}',
      html: `<p>Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>{% if request == "erase" %}you have asked {{ account.name }} to delete everything that is held about you. It can not be undone.{% else %}you have asked {{ account.name }} for all that is held about you.{% endif %} Please go on here:</p>
${button('Go on')}
<p>The link works for {{ days }} day{% if days != 1 %}s{% endif %}. If you did not ask for this, do nothing.</p>`,
      text: `Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},

{% if request == "erase" %}you have asked {{ account.name }} to delete everything that is held about you. It can not be undone.{% else %}you have asked {{ account.name }} for all that is held about you.{% endif %} Please go on here:

{{ confirm_url }}

The link works for {{ days }} day{% if days != 1 %}s{% endif %}. If you did not ask for this, do nothing.
`,
    },
    welcome_email: {
      subject: 'Welcome to {{ account.name }}',
      html: `<p>Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},</p>
<p>Thank you for signing up. From now on you will get mail from {{ account.name }} at {{ contact.email }}.</p>
${small('<a href="{{ preferences_url }}">Your preferences</a> · <a href="{{ unsubscribe_url }}">Unsubscribe</a>')}`,
      text: `Hello{% if contact.first_name %} {{ contact.first_name }}{% endif %},

Thank you for signing up. From now on you will get mail from {{ account.name }} at {{ contact.email }}.

Your preferences: {{ preferences_url }}
Unsubscribe: {{ unsubscribe_url }}
`,
    },
  },
} satisfies LanguageFile

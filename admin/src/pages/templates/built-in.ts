/** Templates whose mail asks somebody to confirm: they are sent for one request, and never by hand. */
export const CONFIRMING: readonly string[] = ['confirm_subscription', 'confirm_request']

/** What may speak of a field, a list or a template. */
export const usedBy = {
  smart_list: { is: 'Smart list', unnamed: String },
  form: { is: 'Form', unnamed: String },
  webhook: { is: 'Webhook', unnamed: (id: number | string) => `number ${id}` },
  view: { is: 'View', unnamed: () => 'one of somebody else’s' },
  recipe: { is: 'Import mapping', unnamed: String },
  template: { is: 'Template', unnamed: String },
  account: { is: 'Account', unnamed: String },
}

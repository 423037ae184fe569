/**
 * A reason not to go on that whoever started the program can cure: a setting, a full disk, a port in use. Its message is
 * shown as it is, on one line or a few, without a stack; whatever else is thrown is a bug.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

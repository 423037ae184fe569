import { Refusal } from './lib/refusal.ts'

/** A failure to listen, in words that name the cure; any other error stays as it is. */
export function listenFailure(error: unknown, { host, port }: { host: string; port: number }): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new Refusal(
        `port ${port} on ${host} is taken by another program: stop that, or choose another port with PORT`,
      )
    case 'EACCES':
      return new Refusal(`this user may not listen on port ${port}: choose one above 1023 with PORT`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Refusal(`${host} is no address of this machine: set HOST to 127.0.0.1, 0.0.0.0 or one that is`)
    default:
      return error
  }
}

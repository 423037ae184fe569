import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { type McpOptions, mcpServer } from './server.ts'

/** Serves whoever has started this process, until they close its input. Nothing but messages may go to standard output. */
export async function serveStdio(options: McpOptions): Promise<void> {
  const server = mcpServer(options)
  await server.connect(new StdioServerTransport())
  await new Promise<void>((resolve) => {
    process.stdin.once('end', resolve)
    process.stdin.once('close', resolve)
  })
  await server.close()
}

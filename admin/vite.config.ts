import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const SERVER = process.env.ROLLCALL_URL ?? 'http://localhost:8080'

/**
 * The theme's variables as a stylesheet of the build. Mantine would put them into a <style> element while it runs, which
 * the Content-Security-Policy (`style-src 'self'`) forbids.
 */
function themeVariables(): Plugin {
  const id = 'virtual:theme-variables.css'
  return {
    name: 'theme-variables',
    resolveId: (source) => (source === id ? id : undefined),
    async load(source) {
      if (source !== id) return
      const { themeStylesheet } = await import('./src/app/theme.ts')
      return themeStylesheet()
    },
  }
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), themeVariables()],
  resolve: { alias: { '@rollcall/sdk': fileURLToPath(new URL('../sdk/src/rollcall.ts', import.meta.url)) } },
  // Nothing is inlined: the policy allows neither data: in scripts nor in fonts.
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    // Which script needs which others: what a page weighs is tested by it.
    manifest: true,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
    // Of the SDK's check of webhooks, which asks for it only where there is no Web Crypto.
    rolldownOptions: { external: ['node:crypto'] },
  },
  server: {
    port: 5173,
    // All that the service answers itself; everything else is a page of ours.
    proxy: Object.fromEntries(
      ['/api', '/docs', '/openapi.json', '/health'].map((path) => [path, { target: SERVER, changeOrigin: false }]),
    ),
  },
})

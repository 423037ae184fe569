import {
  type CSSVariablesResolver,
  convertCssVariables,
  createTheme,
  DEFAULT_THEME,
  deepMerge,
  defaultCssVariablesResolver,
  mergeMantineTheme,
} from '@mantine/core'

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: 'sm',
  autoContrast: true,
  respectReducedMotion: true,
  cursorType: 'pointer',
  fontFamily: 'Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  headings: {
    fontFamily: 'Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.3' },
      h2: { fontSize: '1.125rem', lineHeight: '1.4' },
      h3: { fontSize: '1rem', lineHeight: '1.4' },
    },
  },
  components: {
    // To lock the scrolling, Mantine would write a <style> element, which the Content-Security-Policy forbids.
    Modal: { defaultProps: { lockScroll: false, closeOnClickOutside: false } }, // a click beside it takes nothing away that was typed
    Drawer: { defaultProps: { lockScroll: false } },
    Tooltip: { defaultProps: { openDelay: 300, events: { hover: true, focus: true, touch: false } } },
    Button: { defaultProps: { size: 'sm' } },
    // Mantine's own way stops the effects of what is hidden, and nobody would be asked about what is not saved in another tab.
    Tabs: { defaultProps: { keepMountedMode: 'display-none' } },
  },
})

/** Mantine's own colours for dimmed text and light badges are below the contrast of 4.5 that WCAG AA asks for. */
const READABLE: Record<'light' | 'dark', Record<string, string>> = {
  light: {
    '--mantine-color-dimmed': '#5c636a',
    '--mantine-color-placeholder': '#6c737a',
    '--mantine-color-error': 'var(--mantine-color-red-9)',
    '--mantine-color-anchor': 'var(--mantine-color-indigo-8)',
    // The darkest shade of yellow is 2.7 on the ground of its alerts.
    ...lightTexts((name) => `color-mix(in srgb, var(--mantine-color-${name}-9), black 28%)`),
  },
  dark: {
    '--mantine-color-dimmed': '#a6a7ab',
    '--mantine-color-placeholder': '#8f9197',
    '--mantine-color-error': 'var(--mantine-color-red-4)',
    '--mantine-color-anchor': 'var(--mantine-color-indigo-3)',
    ...lightTexts((name) => `var(--mantine-color-${name}-2)`),
  },
}

function lightTexts(color: (name: string) => string): Record<string, string> {
  return Object.fromEntries(
    Object.keys(DEFAULT_THEME.colors)
      .filter((name) => name !== 'dark')
      .flatMap((name) =>
        ['light', 'outline'].map((variant) => [`--mantine-color-${name}-${variant}-color`, color(name)]),
      ),
  )
}

const variables: CSSVariablesResolver = (merged) =>
  deepMerge(defaultCssVariablesResolver(merged), { variables: {}, ...READABLE })

/** All of the theme as CSS, for the build: see vite.config.ts. */
export function themeStylesheet(): string {
  const scheme = {
    variables: {},
    light: { '--mantine-color-scheme': 'light' },
    dark: { '--mantine-color-scheme': 'dark' },
  }
  return convertCssVariables(deepMerge(variables(mergeMantineTheme(DEFAULT_THEME, theme)), scheme))
}

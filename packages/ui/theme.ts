// The theme for Mantine 9. `cssVariables` turns the tokens into `--gh-*` and points Mantine's own variables at them.
import {
  createTheme,
  type CSSVariablesResolver,
  type MantineColorsTuple,
  type MantineThemeComponent,
  type VariantColorsResolver,
} from '@mantine/core';

import { scale, tokens, type Token } from './tokens.ts';

const v = (name: string) => `var(--gh-${name})`;

/** Mantine wants ten shades; we hand it the token ten times and let the variables decide. */
const tuple = (name: Token) => Array.from({ length: 10 }, () => tokens.light[name]) as unknown as MantineColorsTuple;

const states = ['positive', 'caution', 'negative', 'held', 'info'] as const;

/** All colour decisions of Mantine components, in one place. */
const variantColorResolver: VariantColorsResolver = ({ color, variant }) => {
  const state = states.find((s) => s === color);
  if (variant === 'filled') {
    return state === 'negative'
      ? { background: v('negative'), hover: v('negative'), color: v('surface'), border: '1px solid transparent' }
      : { background: v('ink'), hover: v('ink-hover'), color: v('on-ink'), border: '1px solid transparent' };
  }
  const text = state ? v(state) : v('text-1');
  if (variant === 'light') {
    return {
      background: state ? v(`${state}-tint`) : v('press'),
      hover: state ? v(`${state}-tint`) : v('line'),
      color: text,
      border: '1px solid transparent',
    };
  }
  if (variant === 'subtle' || variant === 'transparent') {
    return {
      background: 'transparent',
      hover: variant === 'subtle' ? v('press') : 'transparent',
      color: state ? text : v('text-2'),
      border: '1px solid transparent',
      hoverColor: state ? text : v('text-1'),
    };
  }
  // default, outline, white
  return { background: v('surface'), hover: v('hover'), color: text, border: `1px solid ${v('line-2')}` };
};

export const cssVariables: CSSVariablesResolver = () => {
  const own = (scheme: 'light' | 'dark') =>
    Object.fromEntries(Object.entries(tokens[scheme]).map(([name, value]) => [`--gh-${name}`, value]));
  const mantine = {
    '--mantine-color-body': v('surface'),
    '--mantine-color-text': v('text-1'),
    '--mantine-color-bright': v('text-1'),
    '--mantine-color-dimmed': v('text-3'),
    '--mantine-color-placeholder': v('text-3'),
    '--mantine-color-anchor': v('accent'),
    '--mantine-color-error': v('negative'),
    '--mantine-color-default': v('surface'),
    '--mantine-color-default-hover': v('hover'),
    '--mantine-color-default-color': v('text-1'),
    '--mantine-color-default-border': v('line-2'),
    '--mantine-color-disabled': v('sunken'),
    '--mantine-color-disabled-color': v('text-3'),
    '--mantine-color-disabled-border': v('line-2'),
    '--mantine-primary-color-filled': v('ink'),
    '--mantine-primary-color-filled-hover': v('ink-hover'),
    '--mantine-primary-color-contrast': v('on-ink'),
    '--mantine-primary-color-light': v('press'),
    '--mantine-primary-color-light-hover': v('line'),
    '--mantine-primary-color-light-color': v('text-1'),
    ...Object.fromEntries(
      ['ink', ...states].flatMap((name) => [
        ...Array.from({ length: 10 }, (_, shade) => [`--mantine-color-${name}-${shade}`, v(name)]),
        [`--mantine-color-${name}-text`, v(name)],
        [`--mantine-color-${name}-filled`, v(name)],
        [`--mantine-color-${name}-filled-hover`, v(name === 'ink' ? 'ink-hover' : name)],
        [`--mantine-color-${name}-outline`, v(name)],
        [`--mantine-color-${name}-light`, name === 'ink' ? v('press') : v(`${name}-tint`)],
        [`--mantine-color-${name}-light-hover`, name === 'ink' ? v('line') : v(`${name}-tint`)],
        [`--mantine-color-${name}-light-color`, v(name)],
      ]),
    ),
    '--menu-item-hover': v('press'),
  };
  return {
    variables: Object.fromEntries(Object.entries(scale).map(([name, value]) => [`--gh-${name}`, value])),
    light: { ...own('light'), ...mantine },
    dark: { ...own('dark'), ...mantine },
  };
};

const height = { xs: '24px', sm: '28px', md: '32px', lg: '40px', xl: '48px' } as Record<string, string>;
const text = { xs: '12px', sm: '13px', md: '13px', lg: '14px', xl: '16px' } as Record<string, string>;
const padX = { xs: '8px', sm: '10px', md: '12px', lg: '16px', xl: '20px' } as Record<string, string>;
const sized = (size: unknown) => (typeof size === 'string' && size in height ? size : 'md');

/** What `Component.extend` would be, without importing the component: the theme must not pull every component into the first chunk. */
const part = (p: {
  defaultProps?: object;
  vars?: (theme: never, props: { size?: unknown }) => object;
  styles?: object;
}) => p as MantineThemeComponent;

const field = { size: 'md' } as const;
const overlay = { border: 'none', boxShadow: v('shadow-overlay'), background: v('raised') };

export const theme = createTheme({
  fontFamily: scale.font,
  fontFamilyMonospace: scale.mono,
  headings: {
    fontFamily: scale.font,
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '22px', lineHeight: '28px' },
      h2: { fontSize: '16px', lineHeight: '24px' },
      h3: { fontSize: '14px', lineHeight: '20px' },
      h4: { fontSize: '13px', lineHeight: '20px' },
    },
  },
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '22px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px', lg: '24px', xl: '28px' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  radius: {
    xs: scale['radius-1'],
    sm: scale['radius-2'],
    md: scale['radius-2'],
    lg: scale['radius-3'],
    xl: scale['radius-3'],
  },
  defaultRadius: 'sm',
  breakpoints: { xs: '24em', sm: '40em', md: '60em', lg: '80em', xl: '100em' }, // 384 640 960 1280 1600
  primaryColor: 'ink',
  primaryShade: { light: 8, dark: 8 },
  colors: {
    ink: tuple('ink'),
    positive: tuple('positive'),
    caution: tuple('caution'),
    negative: tuple('negative'),
    held: tuple('held'),
    info: tuple('info'),
  },
  focusRing: 'auto',
  focusClassName: 'gh-focus',
  cursorType: 'pointer',
  respectReducedMotion: true,
  variantColorResolver,
  components: {
    Button: part({
      defaultProps: { size: 'md', variant: 'default' },
      vars: (_, { size }) => ({
        root: {
          '--button-height': height[sized(size)],
          '--button-fz': text[sized(size)],
          '--button-padding-x': padX[sized(size)],
        },
      }),
      styles: { root: { fontWeight: 550 } },
    }),
    ActionIcon: part({
      defaultProps: { size: 'md', variant: 'subtle' },
      vars: (_, { size }) => ({ root: { '--ai-size': height[sized(size)] } }),
    }),
    Input: part({
      vars: (_, { size }) => ({
        wrapper: {
          '--input-height': height[sized(size)],
          '--input-size': height[sized(size)],
          '--input-fz': text[sized(size)],
          '--input-bd': v('line-3'),
          '--input-bd-focus': v('accent'),
          '--input-bg': v('surface'),
        },
      }),
    }),
    TextInput: part({ defaultProps: field }),
    Textarea: part({ defaultProps: field }),
    Select: part({ defaultProps: { ...field, allowDeselect: false, checkIconPosition: 'right' } }),
    Checkbox: part({
      defaultProps: { size: 'xs' },
      vars: () => ({ root: { '--checkbox-color': v('ink'), '--checkbox-icon-color': v('on-ink') } }),
      styles: { input: { borderColor: v('line-3') } },
    }),
    Radio: part({
      defaultProps: { size: 'xs' },
      vars: () => ({ root: { '--radio-color': v('ink'), '--radio-icon-color': v('on-ink') } }),
      styles: { radio: { borderColor: v('line-3') } },
    }),
    Switch: part({ defaultProps: { size: 'sm' }, vars: () => ({ root: { '--switch-color': v('ink') } }) }),
    SegmentedControl: part({ defaultProps: { size: 'xs' } }),
    Tabs: part({ defaultProps: { variant: 'default' } }),
    Table: part({ defaultProps: { horizontalSpacing: 'md', verticalSpacing: 'sm', highlightOnHover: false } }),
    Tooltip: part({
      defaultProps: { openDelay: 350, withArrow: false, events: { hover: true, focus: true, touch: true } },
      styles: {
        tooltip: {
          background: v('ink'),
          color: v('on-ink'),
          fontSize: 12,
          lineHeight: '16px',
          padding: '6px 8px',
          maxWidth: 320,
          whiteSpace: 'normal',
        },
      },
    }),
    Popover: part({ defaultProps: { transitionProps: { duration: 90 } }, styles: { dropdown: overlay } }),
    Menu: part({
      defaultProps: {
        position: 'bottom-start',
        offset: 4,
        withInitialFocusPlaceholder: false,
        transitionProps: { duration: 90 },
      },
      styles: {
        dropdown: { ...overlay, padding: 4 },
        item: { fontSize: 13, minHeight: 32, padding: '4px 8px' },
        label: { fontSize: 12, color: v('text-3'), padding: '6px 8px 4px' },
      },
    }),
    Modal: part({
      defaultProps: {
        centered: false,
        yOffset: '12vh',
        padding: 24,
        radius: 'lg',
        overlayProps: { color: 'transparent', backgroundOpacity: 1 },
        transitionProps: { transition: 'fade', duration: 120 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
      styles: {
        content: { boxShadow: v('shadow-overlay'), background: v('raised') },
        header: { background: v('raised') },
        title: { fontSize: 16, lineHeight: '24px', fontWeight: 600 },
        overlay: { background: v('scrim') },
      },
    }),
    Drawer: part({
      defaultProps: {
        padding: 0,
        overlayProps: { color: 'transparent', backgroundOpacity: 1 },
        transitionProps: { duration: 160 },
        closeButtonProps: { 'aria-label': 'Close' },
      },
      styles: { content: { background: v('surface') }, overlay: { background: v('scrim') } },
    }),
  },
});

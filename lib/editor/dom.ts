/** Elements in one expression. */

type Child = Node | string | undefined | false;
/** Properties of the element; `aria-…`, `data-…`, `role` and `for` are attributes; `on…` are listeners. */
type Props = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: (Child | Child[])[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined) continue;
    if (typeof value === 'function')
      element.addEventListener(name.slice(2), value as unknown as EventListener);
    else if (/^(aria-|data-|role$|for$|style$|list$)/.test(name)) element.setAttribute(name, String(value));
    else Object.assign(element, { [name]: value });
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== false));
  return element;
}

/** An icon that says nothing to who cannot see it. */
export function icon(name: string): HTMLElement {
  return h('i', { className: `fa fa-${name}`, 'aria-hidden': 'true' });
}

/** A button as Node-RED's, with its name always there for screen readers and as a tooltip. */
export function button(
  { label, symbol, isSmall = true, isBare = false, ...props }: ButtonProps,
  onClick: () => void,
): HTMLButtonElement {
  const classes = ['red-ui-button', isSmall && 'red-ui-button-small', props.className].filter(Boolean);
  return h(
    'button',
    {
      type: 'button',
      title: isBare ? label : undefined,
      'aria-label': isBare ? label : undefined,
      ...props,
      className: classes.join(' '),
      onclick: onClick,
    },
    symbol ? icon(symbol) : undefined,
    isBare ? undefined : `${symbol ? ' ' : ''}${label}`,
  );
}

type ButtonProps = Props & {
  label: string;
  symbol?: string;
  isSmall?: boolean;
  /** Only its icon is shown. */
  isBare?: boolean;
  className?: string;
};

/** Puts other content in. */
export function fill(element: HTMLElement, ...children: (Child | Child[])[]): void {
  element.replaceChildren(...children.flat().filter((child) => child !== undefined && child !== false));
}

/** Adds the one style sheet of this package to the page. */
export function addStyles(): void {
  const id = 'esp32-editor-styles';
  if (document.getElementById(id)) return;
  document.head.append(
    h('link', { id, rel: 'stylesheet', href: new URL('./editor.css', import.meta.url).href }),
  );
}

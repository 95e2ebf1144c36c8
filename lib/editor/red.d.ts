/** What of Node-RED's editor is used here. */

interface EditorNode {
  id: string;
  type: string;
  name?: string;
  port?: string;
  device?: string;
  changed?: boolean;
}

interface TrayButton {
  id: string;
  text: string;
  class?: string;
  click: () => void;
}

interface Tray {
  title: string;
  width?: number | string;
  maximized?: boolean;
  buttons: TrayButton[];
  open: (tray: JQueryLike) => void;
  resize?: () => void;
  close?: () => void;
}

interface CodeEditor {
  getValue(): string;
  destroy(): void;
  focus(): void;
  resize?(): void;
  setReadOnly?(isReadOnly: boolean): void;
}

interface NotifyOptions {
  type?: string;
  modal?: boolean;
  fixed?: boolean;
  timeout?: number;
  buttons?: { text: string; class?: string; click: () => void }[];
}

interface AjaxRequest {
  url: string;
  method: string;
  data?: string | ArrayBuffer | Blob;
  contentType?: string | false;
  processData: false;
  dataType?: 'json';
  xhrFields?: { responseType: 'blob' };
}

interface AjaxFailure {
  status: number;
  statusText: string;
  responseJSON?: unknown;
}

interface Jqxhr {
  then: (done: (answer: unknown) => void, failed: (failure: unknown) => void) => void;
  abort: () => void;
}

interface JQueryLike {
  find: (selector: string) => JQueryLike;
  get: (index: number) => HTMLElement | undefined;
}

declare const $: { ajax: (request: AjaxRequest) => Jqxhr };

declare const RED: {
  _: (key: string, facts?: Record<string, unknown>) => string;
  comms: {
    subscribe: (topic: string, heard: (topic: string, data: unknown) => void) => void;
    unsubscribe: (topic: string, heard: (topic: string, data: unknown) => void) => void;
  };
  actions: { add: (name: string, action: () => void) => void };
  editor: {
    editConfig: (name: string, type: string, id: string) => void;
    createEditor: (options: {
      element: HTMLElement;
      mode: string;
      value: string;
      focus?: boolean;
    }) => CodeEditor;
  };
  events: { on: (event: string, heard: (fact: unknown) => void) => void };
  nodes: { eachConfig: (each: (node: EditorNode) => boolean | undefined) => void };
  notify: (text: string, options: NotifyOptions) => { close: () => void };
  plugins: { registerPlugin: (id: string, plugin: { type?: string; onadd: () => void }) => void };
  sidebar: {
    addTab: (tab: object) => void;
    show: (id: string) => void;
    help: { show: (type: string) => void };
  };
  tray: { show: (tray: Tray) => void; close: () => void };
  state: { EDITING: unknown };
  view: { state: (state?: unknown) => unknown };
  user: { hasPermission: (permission: string) => boolean };
};

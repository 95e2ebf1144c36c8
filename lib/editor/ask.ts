/** Questions to a person, in Node-RED's own dialog. */
import { wordsOf } from './words.ts';

const words = wordsOf('esp32-sidebar');

/** Shows a question; `act` is what the button says that does it. Resolves to whether it was pressed. */
export async function confirm(question: string, act: string): Promise<boolean> {
  return new Promise((resolve) => {
    const answer = (isYes: boolean) => (): void => {
      dialog.close();
      resolve(isYes);
    };
    const dialog = RED.notify(escaped(question), {
      modal: true,
      fixed: true,
      type: 'warning',
      buttons: [
        { text: words('cancel'), click: answer(false) },
        { text: act, class: 'primary', click: answer(true) },
      ],
    });
  });
}

/** Node-RED takes HTML for titles and notes; what a board calls its files is none. */
export function escaped(text: string): string {
  const holder = document.createElement('span');
  holder.textContent = text;
  return holder.innerHTML;
}

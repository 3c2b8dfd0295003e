// `node --import` this file, and a program runs from its sources, its threads too.
import { register } from 'node:module';

register('./typescript-hooks.js', import.meta.url);

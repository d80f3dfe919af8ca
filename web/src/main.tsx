import { render } from "preact";
import { App } from "./ui/app";
import { begin } from "./ui/state";

begin();
render(<App />, document.getElementById("app") ?? document.body);

#include "report/sections.h"
#include "spm/scan/request/units.h"

/* of_scan: settings, whose units are known; a driver's options are its own. */
static void put_options(rs_page *page, const char *title, const rs_driver_option *option, int n,
                        bool of_scan)
{
    if (n < 1) return;
    rs_page_format(page,
                   "<details><summary>%s (%d)</summary>\n<table><tr><th class=\"t\">Name</th>"
                   "<th class=\"t\">Value</th>%s</tr>\n",
                   title, n, of_scan ? "<th class=\"t\">Unit</th>" : "");
    for (int i = 0; i < n; i++) {
        rs_page_raw(page, "<tr><td class=\"t\"><code>");
        rs_page_text(page, option[i].name ? option[i].name : "");
        rs_page_raw(page, "</code></td><td class=\"t\">");
        const char *name = option[i].name ? option[i].name : "";
        const char *value = option[i].value ? option[i].value : "";
        const char *word = of_scan ? rs_scan_word_of(name, value) : NULL;
        rs_page_text(page, value);
        if (word) rs_page_format(page, " (%s)", word);
        if (of_scan) rs_page_format(page, "</td><td class=\"t\">%s", rs_scan_unit(name));
        rs_page_raw(page, "</td></tr>\n");
    }
    rs_page_raw(page, "</table>\n</details>\n");
}

void rs_report_settings(rs_page *page, const rs_report_data *d)
{
    rs_page_raw(page, "<h2>Settings</h2>\n");
    if (d->setup->settings + d->setup->driver_options < 1)
        rs_page_raw(page, "<p class=\"none\">None have been recorded.</p>\n");
    put_options(page, "Settings of the run", d->setup->setting, d->setup->settings, true);
    put_options(page, "Options of the driver", d->setup->driver_option, d->setup->driver_options,
                false);
}

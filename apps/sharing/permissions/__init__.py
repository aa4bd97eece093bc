"""Who may do what with requests and grants.

Two departments meet in a request: the consumer asks, the provider answers. A provider is the
department of the dataset, or one to whose group `review_requests` was delegated on it. Nobody
decides for the provider on a request of his own department. The statuses are the lifecycle's.

===================  ==========================  ==========================  ===================
action               consumer                    provider                    authority
===================  ==========================  ==========================  ===================
view                 every member                every member, once received officer, leader,
                                                                             once received
create, revise       editor                      –                           –
submit, recall,      editor                      –                           –
ask_again
approve_by_head,     approver                    –                           –
return_by_head
supplement           editor; approver also what  –                           –
                     asks for more than was sent
withdraw             editor, approver            –                           –
accept_form,         –                           editor, approver            –
ask_supplement,
propose, preview,
extend, offer,
retract_offer
accept_offer,        approver, not of the        –                           –
decline_offer        provider
confirm, opine       –                           editor, approver, not the   –
                                                 proposer
agree, refuse        –                           approver                    –
send_back_proposal   –                           approver; before the second –
                                                 review whoever may confirm
consent_extension    –                           –                           officer, leader, not
                                                                             who asked for it
mark_urgent          –                           –                           officer, leader, not
                                                                             for his department
review_urgent        –                           –                           officer, leader, not
                                                                             who gave the order
backfill             editor, approver            –                           –
route                editor, approver            editor, approver            –
handle_step          the step's assignee         the step's assignee         –
attach               editor, approver; later     editor, approver            –
                     while they owe papers
read_reply, once     every member                every member                officer, leader
signed
read_opinions that   –                           every member                officer, leader, not
are not signed                                                               of their own department
weigh, while a       –                           editor, approver, and who   officer, leader
decision is ahead                                has a step in hand
pass_on,             the district's authority (editor, approver), while it  –
return_by_district   lies there; it views what was ever put to it
retract_proposal     –                           editor, approver, who gave  –
                                                 it, before others act on it
grant_automatically, the platform, which asks    –                           –
deliver, drop_agreed nobody
-------------------  --------------------------  --------------------------  -------------------
package: view        every member                every member of the         officer, leader,
                                                 provider of a part, once    once one part was
                                                 that was received           received
package: draft,      editor                      –                           –
revise_package,
add_to_package,
attach_to_package,
submit_package
-------------------  --------------------------  --------------------------  -------------------
grant: view          every member                every member                officer, leader
grant: suspend,      –                           approver                    officer, leader
narrow
grant: export        editor, approver, where it  –                           –
                     is in the way of files;
                     its system, always
grant: try_out       editor, approver            –                           –
export: view         every member                every member                officer, leader
export: download,    as grant: export            –                           –
discard
use: view            every member                every member                officer, leader
grant: resume        –                           approver, if the authority  officer, leader, not
                                                 did not suspend it          of the consumer
grant: end           approver                    approver                    officer, leader
grant: deliver,      the platform                –                           –
expire
-------------------  --------------------------  --------------------------  -------------------
blind review: view   every member                every member                every member
blind review:        –                           –                           leader
order, lift
sealed opinion:      –                           every member, once opened   officer, leader,
view                                                                         once opened
-------------------  --------------------------  --------------------------  -------------------
idle notice: view    every member                every member                officer, leader
idle notice:         editor, approver            –                           –
ask_back
review: view         every member                every member                officer, leader
review: state_need   editor, approver            –                           –
review: decide       –                           approver                    officer, leader, not
                                                                             of the consumer,
                                                                             once it is late
use report: view     every member                every member                officer, leader
use report: file     editor, approver            –                           –
grant: ask_change    editor                      –                           –
grant: open_change   –                           approver                    –
change: view         every member                every member                officer, leader
change: agree,       approver, not of the        –                           –
object               provider
change: file,        –                           –                           officer, leader, not
refuse                                                                       who announced or
                                                                             answered it
change: withdraw     –                           approver                    –
planned stop: view   every member, of its live   every member, of its own    officer, leader
                     grants and the platform
planned stop:        –                           approver                    officer, leader: the
announce, withdraw,                                                          platform's, and end any
end                                                                          (with the system admin)
disposal: view       every member                every member                officer, leader
disposal: file       editor, approver            –                           –
disposal: confirm,   –                           editor, approver, not of    –
return                                           the consumer
template: view       the recommended one         every member                officer, leader
template: save,      –                           editor, approver            –
retire
region item: declare –                           editor, approver            –
===================  ==========================  ==========================  ===================

A disposal between two sides that a reform made one is void: the platform does that by itself.

A review is the yearly one of a grant. The audit administrator may view whatever both sides may. A
stand-in may what his principal may.

Where a second person is needed (`queries.needs_second_review`), who confirms is not who proposed,
nor does he act in his name; who signs has neither proposed nor confirmed, nor does he act in the
name of who confirmed. So a department needs three people for it, one of them its head; a stand-in
of a head or editor is one of them. Nobody confirms who is the only one left to sign. When nobody
can confirm, head and authority are told at once and the clock goes on. While the authority has
ordered blind review, the second person writes an opinion of his own (`opine`) instead of
confirming; nobody sees the first before the second is written.

What is done with several requests at once (`act_together`: the parts of a package, or several of
one entry) is done with each by itself, by the rule of its own row. A basket is its owner's alone.

Who may `weigh` a request learns of the consumer's grants from other providers the dataset's name,
the items that can be read and the key by which they join, for he answers for what his own data adds
to them (article 25); of their number, rows, period and use he learns nothing unless he may view the
grant. The consumer is not shown what is weighed.

Source: 《政务数据共享条例》第十一条、第二十条、第二十一条; house rule (design §3.2, issue 5)
"""

from apps.sharing.gateway import permissions as gateway_permissions
from apps.sharing.permissions import (
    blind_review,
    credentials,
    database_logins,
    disposals,
    explanations,
    grants,
    interfaces,
    packages,
    parties,
    phrases,
    planned_stops,
    requests,
    service_changes,
    suppliers,
    templates,
    webhooks,
)

__all__ = [
    "blind_review",
    "credentials",
    "database_logins",
    "disposals",
    "explanations",
    "gateway_permissions",
    "grants",
    "interfaces",
    "packages",
    "parties",
    "phrases",
    "planned_stops",
    "requests",
    "service_changes",
    "suppliers",
    "templates",
    "webhooks",
]

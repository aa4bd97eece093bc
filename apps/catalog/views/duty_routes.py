"""The addresses of responsibility lists and duties, below `/work/`."""

from django.urls import path

from apps.catalog.views import duties, law, responsibility, responsibility_list

addresses = [
    path("law/legal-duties/", law.law_list, {"kind": "legal-duties"}, name="law-legal-duties"),
    path("law/<slug:kind>/", law.law_list, name="law-list"),
    path("law/<slug:kind>/import/", law.law_import, name="law-import"),
    path(
        "responsibility-lists/",
        responsibility.responsibility_lists,
        name="responsibility-lists",
    ),
    path(
        "responsibility-lists/compile/",
        responsibility.compile_page,
        name="responsibility-compile",
    ),
    path("responsibility-lists/move/", responsibility.move_lists, name="responsibility-move-many"),
    path(
        "responsibility-lists/<int:pk>/",
        responsibility_list.responsibility_list,
        name="responsibility-list",
    ),
    path(
        "responsibility-lists/<int:pk>/revise/",
        responsibility_list.revise,
        name="responsibility-list-revise",
    ),
    path(
        "responsibility-lists/<int:pk>/add/",
        responsibility_list.add,
        name="responsibility-list-add",
    ),
    path(
        "responsibility-lists/<int:pk>/accept/",
        responsibility_list.accept,
        name="responsibility-list-accept",
    ),
    path(
        "responsibility-lists/<int:pk>/move/<slug:name>/",
        responsibility_list.move,
        name="responsibility-list-move",
    ),
    path("duties/<int:pk>/", duties.duty, name="duty"),
    path("duties/<int:pk>/dataset/", duties.name_dataset, name="duty-dataset"),
    path("duties/<int:pk>/split/", duties.split, name="duty-split"),
    path("duties/<int:pk>/move/<slug:name>/", duties.move, name="duty-move"),
]
